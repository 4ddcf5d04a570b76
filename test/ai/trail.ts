/**
 * What a ledger says, in short lines that a test can compare.
 *
 * @module
 */
import type { Bodies, Entry } from '../../src/evidence/kinds.ts';
import type { CrumbWorld } from '../world.ts';

/** Reads what was written since the trail began. */
export interface Trail {
  entries(): Promise<readonly Entry[]>;
  /** `intent readRecord authorized`, `outcome readRecord ok`, `refusal readRecord not_authorized`. */
  lines(): Promise<readonly string[]>;
  /** Bodies of the intents and refusals. */
  attempts(): Promise<readonly Bodies['intent'][]>;
}

export async function beginTrail(world: CrumbWorld): Promise<Trail> {
  const { length } = await world.readCrumbs();
  const entries = async (): Promise<readonly Entry[]> => (await world.readCrumbs()).slice(length);
  return {
    entries,
    async lines() {
      const all = await world.readCrumbs();
      return all.slice(length).flatMap((entry) => lineOf(entry, all));
    },
    async attempts() {
      return (await entries()).flatMap((entry) => (entry.kind === 'intent' ? [entry.body] : []));
    },
  };
}

function lineOf(entry: Entry, all: readonly Entry[]): readonly string[] {
  switch (entry.kind) {
    case 'intent':
      return [`intent ${entry.body.call.tool} ${entry.body.verdict}`];
    case 'refusal':
      return [`refusal ${entry.body.call.tool} ${entry.body.code}`];
    case 'outcome': {
      const intent = all[entry.body.intent];
      const tool = intent?.kind === 'intent' ? intent.body.call.tool : 'nothing';
      return [`outcome ${tool} ${entry.body.status}`];
    }
    case 'approval':
      return [`approval ${entry.body.call.tool}`];
    case 'hop':
      return ['hop'];
    case 'observed':
      return [`observed ${entry.body.source} ${entry.body.call?.tool ?? ''}`];
    default:
      return [];
  }
}
