/**
 * Which checkpoint is to go to the anchors next, and when: by the policy that genesis declares.
 *
 * @module
 */
import { parseCheckpoint } from '../evidence/checkpoint.ts';
import { parseNote } from '../evidence/note.ts';
import type { Anchor } from './anchor.ts';
import type { AnchoredLedger } from './anchor-attempt.ts';
import { DEFAULT_ANCHOR_POLICY } from './anchor-key-entry.ts';

/** What to plan for, and by which clock. */
export interface AnchorPlanning {
  readonly ledger: AnchoredLedger;
  readonly anchors: readonly Anchor[];
  readonly clock: () => Date;
}

/**
 * Takes the last head to all anchors that have not seen it.
 *
 * @param urgent Somebody waits.
 * @returns Its size.
 * @throws {CrumbError} As `Ledger.checkpoint`.
 */
export async function planCheckpoint(
  { ledger, anchors, clock }: AnchorPlanning,
  urgent: boolean,
): Promise<number> {
  const { anchoring } = ledger;
  const { size } = parseCheckpoint(parseNote(await ledger.checkpoint()).text);
  for (const { name } of anchors) {
    const last = await anchoring.lastReceipt(name);
    if (last !== undefined && last.size >= size) continue;
    await anchoring.plan({ anchor: name, size, nextAt: clock() }, urgent);
  }
  return size;
}

/**
 * Plans what is due.
 *
 * @param wanted Size that somebody waits for; 0 if nobody does.
 * @returns When the next checkpoint will be due, in milliseconds since 1970, as things stand.
 */
export async function planDue(planning: AnchorPlanning, wanted: number): Promise<number> {
  const standing = await standingOf(planning);
  const due = await dueAt(planning, standing);
  const isWanted = wanted > standing.planned;
  if (!isWanted && due > planning.clock().getTime()) return due;
  await planCheckpoint(planning, isWanted);
  return Infinity;
}

interface Standing {
  /** Size that every anchor has seen, or has a job for. */
  readonly planned: number;
  /** When the one that was silent longest last gave a receipt; undefined if any of them has a job. */
  readonly silentSince: number | undefined;
}

async function standingOf({ ledger, anchors }: AnchorPlanning): Promise<Standing> {
  const jobs = await ledger.anchoring.jobs();
  const sizes: number[] = [];
  const times: number[] = [];
  for (const { name } of anchors) {
    const last = await ledger.anchoring.lastReceipt(name);
    const job = jobs.find(({ anchor }) => anchor === name);
    sizes.push(Math.max(last?.size ?? 0, job?.size ?? 0));
    if (job === undefined) times.push(last?.keptAt.getTime() ?? 0);
  }
  return {
    planned: Math.min(...sizes), // Infinity where there are no anchors: nothing will be due
    silentSince: times.length < anchors.length ? undefined : Math.min(...times),
  };
}

async function dueAt(
  { ledger }: AnchorPlanning,
  { planned, silentSince }: Standing,
): Promise<number> {
  const policy = ledger.genesis.policy.anchor ?? DEFAULT_ANCHOR_POLICY;
  const beat = silentSince === undefined ? Infinity : silentSince + policy.heartbeat * 1000;
  const unseen = await ledger.anchoring.unseen(planned);
  if (unseen === undefined) return beat;
  if (unseen.entries >= Math.max(1, policy.entries)) return 0;
  return Math.min(beat, unseen.time.getTime() + policy.seconds * 1000);
}
