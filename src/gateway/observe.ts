/**
 * Calls that a host did without the guard: on record as seen, not as let through.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { judge, UNATTRIBUTED, type Verdict } from '../attribution/judge.ts';
import { toJson } from '../attribution/canonical.ts';
import { isCrumbError } from '../errors.ts';
import { commitBytes, commitJson } from '../evidence/commitment.ts';
import type { CallRecord, ObservedBody } from '../evidence/kinds.ts';
import type { Opening } from '../vault/vault.ts';
import { stateOf, type ActingAgent, type ActingState } from './acting-agent.ts';
import { callRecordOf, createAttempt } from './attempt.ts';
import type { Gateway } from './gateway.ts';
import type { Dependent, Place } from './known-entries.ts';
import { loginId } from './login-entries.ts';
import { prerequisitesOf } from './prerequisites.ts';
import { findResource } from './resources.ts';
import { commitResult } from './result.ts';

/** `resource` of a tool that the configuration does not know. */
export const UNMAPPED = 'unmapped';

/** A call that was seen. Whether it happened as told is the host's word. */
export interface Sighting {
  /** `provider`: run by the model's provider. `client`: by the browser. `unguarded`: here, raw. */
  readonly source: 'provider' | 'client' | 'unguarded';
  readonly id: string;
  readonly tool: string;
  readonly args: unknown;
  /** What it gave, if that was seen too. */
  readonly result?: unknown;
}

/**
 * Records a sighting.
 *
 * @param acting Who acted, if the host knows.
 * @throws {CrumbError} What the ledger or the vault throws: it is not on record.
 */
export async function recordSighting(
  gateway: Gateway,
  acting: ActingAgent | undefined,
  sighting: Sighting,
): Promise<void> {
  const state = acting === undefined ? undefined : stateOf(acting);
  const { call, verdict, openings } = describe(gateway, state, sighting);
  const subject = state?.attended?.login.subject.key;
  const result = commitResult(sighting.result, { store: false, subject });
  await gateway.vault.keep({
    openings: [...openings, result].filter((opening) => opening !== undefined),
  });
  const login = state?.attended?.login;
  const needs = state === undefined ? [] : prerequisitesOf(state, undefined);
  await gateway.known.append(needs, (at) => {
    const body: Body = {
      source: sighting.source,
      session: login === undefined ? null : at(loginId(login)),
      human: login?.human ?? null,
      chain: state?.chain ?? [],
      call,
      verdict,
      result: result?.commitment ?? null,
      purpose: null,
      by: null,
    };
    return { drafts: [{ kind: 'observed', body }] } satisfies Dependent;
  });
}

type Body = Omit<ObservedBody, 'session'> & { readonly session: Place | null };

interface Description {
  readonly call: CallRecord;
  readonly verdict: Verdict | null;
  readonly openings: readonly (Opening | undefined)[];
}

function describe(
  gateway: Gateway,
  state: ActingState | undefined,
  { id, tool, args }: Sighting,
): Description {
  const entry = findResource(gateway.resources, tool);
  const { resource, action } = entry ?? { resource: UNMAPPED, action: tool };
  const target = { id, tool, resource, action, origin: 'model' } as const;
  if (state === undefined) {
    const { commitment, opening } = commitArgs(args);
    return { call: { ...target, args: commitment }, verdict: null, openings: [opening] };
  }
  const store = entry?.store?.args ?? true;
  const attempt = createAttempt(state, { ...target, args, store });
  const judged =
    state.attended === undefined
      ? UNATTRIBUTED
      : judge(state.attended.login.facts.directives, attempt.call, state.chain, {
          iss: gateway.issuer,
          now: gateway.clock(),
        });
  return {
    call: callRecordOf(attempt),
    // What is not JSON, and what goes nowhere that directives name, cannot be judged.
    verdict: attempt.json === null || entry === undefined ? null : judged.verdict,
    openings: [attempt.opening],
  };
}

/** Arguments of a call whose agent nobody knows: there is no person to erase them with. */
function commitArgs(args: unknown): { commitment: string; opening: Opening | undefined } {
  const salt = new Uint8Array(randomBytes(32));
  try {
    const commitment = commitJson(salt, 'args', toJson(args));
    return { commitment, opening: { commitment, label: 'args', salt } };
  } catch (error) {
    if (!isCrumbError(error)) throw error;
    return { commitment: commitBytes(salt, 'args.bytes', new Uint8Array()), opening: undefined };
  }
}
