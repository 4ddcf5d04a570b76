/**
 * What opens commitments, as it passes by: each line stands before the entry that it belongs to.
 *
 * @module
 */
import type { Json } from '../attribution/tool-call.ts';
import { fromBase64url, utf8 } from '../evidence/bytes.ts';
import { opensBytes, opensJson, type Label } from '../evidence/commitment.ts';
import type { Entry } from '../evidence/kinds.ts';
import type { ClosedLine, OpeningLine } from './bundle-lines.ts';
import type { FindingLog } from './finding-log.ts';

/** A commitment of an entry, and what it can be opened as. */
export interface CommitmentPlace {
  readonly c: string;
  readonly labels: readonly Label[];
}

/** What was given for a commitment: its value, or only the word that its salt is kept. */
export type Opened = { readonly value: Json } | 'closed';

export interface Openings {
  readonly log: FindingLog;
  /** Lines since the last entry. */
  readonly fresh: (OpeningLine | ClosedLine)[];
  /** By commitment; oldest first. */
  readonly known: Map<string, Opened>;
  /** How many commitments were opened. */
  count: number;
}

/** An opening holds for the entries after it until so many others have passed. */
const WINDOW = 256;

export function startOpenings(log: FindingLog): Openings {
  return { log, fresh: [], known: new Map(), count: 0 };
}

export function takeOpening(openings: Openings, line: OpeningLine | ClosedLine): void {
  openings.fresh.push(line);
  if (openings.fresh.length > WINDOW) dropStale(openings);
}

/** Takes what was given for an entry: it must belong there, and open what it says. */
export function openFor(openings: Openings, seq: number, places: readonly CommitmentPlace[]): void {
  if (openings.fresh.length === 0) return;
  for (const line of openings.fresh) {
    const place = places.find(({ c, labels }) => c === line.c && labels.includes(line.label));
    if (line.seq !== seq || place === undefined || !fits(line)) {
      openings.log.add({ code: 'opening_mismatch', seq: line.seq, label: line.label });
      continue;
    }
    if (line.t === 'opening') openings.count++;
    openings.known.delete(line.c);
    openings.known.set(line.c, line.t === 'opening' ? { value: line.value } : 'closed');
    const [oldest] = openings.known.keys();
    if (openings.known.size > WINDOW && oldest !== undefined) openings.known.delete(oldest);
  }
  openings.fresh.length = 0;
}

/** Openings after the last entry belong to none. */
export function dropStale(openings: Openings): void {
  for (const { seq, label } of openings.fresh.splice(0)) {
    openings.log.add({ code: 'opening_mismatch', seq, label });
  }
}

/** What an entry commits to. */
export function commitmentsOf(entry: Entry): readonly CommitmentPlace[] {
  const places: CommitmentPlace[] = [];
  const add = (c: string | null | undefined, ...labels: readonly Label[]): void => {
    if (c !== null && c !== undefined) places.push({ c, labels });
  };
  const { kind, body } = entry;
  switch (kind) {
    case 'session':
      add(body.claims, 'claims');
      add(body.token, 'token');
      for (const { args } of body.directives) add(args, 'directive');
      break;
    case 'approval':
      add(body.call.args, 'args', 'args.bytes');
      add(body.shown, 'shown');
      break;
    case 'hop':
      add(body.token.c, 'token');
      add(body.actorToken, 'token');
      break;
    case 'intent':
      add(body.call.args, 'args', 'args.bytes');
      add(body.token?.c, 'token');
      break;
    case 'refusal':
      add(body.call.args, 'args', 'args.bytes');
      break;
    case 'outcome':
      add(body.result, 'result', 'result.bytes');
      break;
    case 'observed':
      add(body.call?.args, 'args', 'args.bytes');
      add(body.result, 'result', 'result.bytes');
      break;
    case 'report':
      add(body.recipient, 'text');
      break;
    case 'correction':
      add(body.text, 'text');
      break;
    default:
      break; // the others commit to nothing
  }
  return places;
}

function fits(line: OpeningLine | ClosedLine): boolean {
  if (line.t === 'closed') return true;
  const { c, label, r, value } = line;
  if (label !== 'token' && !label.endsWith('.bytes'))
    return opensJson(c, { label, salt: r, value });
  if (typeof value !== 'string') return false;
  const bytes = label === 'token' ? utf8(value) : fromBase64url(value);
  return bytes !== undefined && opensBytes(c, { label, salt: r, bytes });
}
