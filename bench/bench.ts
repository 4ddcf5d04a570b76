/**
 * What every benchmark is given.
 *
 * @module
 */
import type { LedgerFile } from './drafts.ts';
import type { Section } from './report.ts';
import type { BenchWorld } from './world.ts';

/** How much is done. */
export interface Effort {
  readonly rounds: number;
  readonly sliceMs: number;
  /** Sizes of the ledgers whose growth is looked at, smallest first. */
  readonly sizes: readonly [number, ...number[]];
}

export interface BenchContext {
  readonly effort: Effort;
  /** A folder that goes afterwards. */
  readonly directory: string;
  /** A ledger of so many crumbs, made once. */
  ledgerOf(size: number): Promise<LedgerFile>;
  /** An identity provider and Crumbs over it, started once. */
  world(): Promise<BenchWorld>;
}

export type Bench = (context: BenchContext) => Promise<readonly Section[]>;
