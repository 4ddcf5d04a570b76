/**
 * One witness: it cosigns a checkpoint only if that continues what it has seen before.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-witness.md
 * @module
 */
import { CrumbError, isCrumbError } from '../errors.ts';
import { fromUtf8, toBase64 } from '../evidence/bytes.ts';
import { openNote, parseNote, parseVkey } from '../evidence/note.ts';
import type { AnchorRequest } from '../ledger/anchor.ts';
import { refusedBy, unreadable, type AnchorAnswer, type AnchorFetch } from './anchor-fetch.ts';

/** A witness that takes checkpoints. */
export interface WitnessClient {
  readonly vkey: string;
  /** Its submission prefix. */
  readonly url: string;
  readonly ask: AnchorFetch;
  /** Size that it cosigned last, as far as we know. */
  seen: number;
}

/** Two answers may say that it is further than we thought: ours, and one to who else writes this ledger. */
const MAX_ROUNDS = 3;

/**
 * Has a checkpoint cosigned.
 *
 * @returns Its line, newline included. The signature has been checked.
 * @throws {CrumbError} `anchor_unreachable`, `anchor_refused`, `anchor_receipt_invalid`; `ledger_forked`:
 *   it has seen another history of this ledger, or more of it than there is.
 */
export async function addCheckpoint(
  witness: WitnessClient,
  request: AnchorRequest,
): Promise<string> {
  const { note, size, signal } = request;
  let old = Math.min(witness.seen, size);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const proof = old === 0 || old === size ? [] : await request.proofFrom(old);
    const answer = await witness.ask(`${witness.url}/add-checkpoint`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: bodyOf(old, proof, note),
      signal,
    });
    if (answer.status === 200) {
      witness.seen = size;
      return lineOf(witness, answer, note);
    }
    if (answer.status === 422) throw forked('the proof does not fit what it has seen');
    if (answer.status !== 409) throw refusedBy(answer);
    old = await sizeSeen(answer, request);
    witness.seen = old;
  }
  throw new CrumbError('anchor_unreachable', { cause: new Error('its size changes all the time') });
}

function bodyOf(old: number, proof: readonly Uint8Array[], note: string): string {
  const lines = proof.map((hash) => `${toBase64(hash)}\n`);
  return `old ${old}\n${lines.join('')}\n${note}`;
}

/** What a conflict says the witness has cosigned. */
async function sizeSeen({ body }: AnchorAnswer, request: AnchorRequest): Promise<number> {
  const text = fromUtf8(body) ?? '';
  if (!/^(?:0|[1-9]\d{0,14})\n?$/.test(text)) throw unreadable('a size');
  const seen = Number(text);
  if (seen <= request.size) return seen;
  // Only we sign checkpoints. If it has one of more entries than there are, entries are gone.
  if (seen > (await request.published())) throw forked('it has seen more of this ledger');
  throw new CrumbError('anchor_refused', { cause: new Error('it has seen a later checkpoint') });
}

function forked(what: string): CrumbError {
  return new CrumbError('ledger_forked', { names: ['a witness'], cause: new Error(what) });
}

/** The witness's own line, and no others: whatever else it sends, nobody asked for. */
async function lineOf(
  { vkey }: WitnessClient,
  { body }: AnchorAnswer,
  note: string,
): Promise<string> {
  const key = parseVkey(vkey);
  const answer = fromUtf8(body) ?? '';
  const own = answer
    .split('\n')
    .filter((line) => key !== undefined && line.startsWith(`— ${key.name} `))
    .map((line) => `${line}\n`);
  try {
    const { text } = parseNote(note);
    const lines: string[] = [];
    for (const line of own) {
      // Of several lines under one name only those of this key are ours to judge.
      if (await isCosigned(`${text}\n${line}`, vkey)) lines.push(line);
    }
    const [line] = lines;
    if (line !== undefined) return line;
  } catch (error) {
    if (!isCrumbError(error)) throw error;
  }
  throw new CrumbError('anchor_receipt_invalid', { names: ['a witness'] });
}

async function isCosigned(note: string, vkey: string): Promise<boolean> {
  try {
    await openNote(note, [vkey]);
    return true;
  } catch (error) {
    if (isCrumbError(error)) return false;
    throw error;
  }
}
