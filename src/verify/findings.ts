/**
 * What a verifier can have to say. Codes are stable; docs/findings.md explains each.
 *
 * @module
 */
import type { Verdict } from '../attribution/judge.ts';
import type { Label } from '../evidence/commitment.ts';

/** What is wrong with a file or stream as such. */
export type DamageKind =
  'no_header' | 'malformed_line' | 'line_too_long' | 'misplaced_line' | 'cut_off' | 'digest';

/** A part of a token that does not bear out what a crumb says of it. */
export type TokenPart =
  | 'signature'
  | 'issuer'
  | 'human'
  | 'chain'
  | 'audience'
  | 'scope'
  | 'expiry'
  | 'claims'
  /** Not the token: the chain does not grow by one agent out of what it refers to. */
  | 'growth';

/** One thing found wrong or missing. `code` is stable; docs/findings.md explains each. */
export type Finding =
  // Failing
  | { readonly code: 'bundle_damaged'; readonly line: number; readonly what: DamageKind }
  | { readonly code: 'entry_malformed'; readonly seq: number }
  | { readonly code: 'entry_order'; readonly seq: number; readonly found: number }
  | {
      readonly code: 'chain_broken';
      readonly seq: number;
      /**
       * `prev`: it names another entry before it. `stored`: a hash kept beside it is not its own.
       * `proof`: it is not in the tree.
       */
      readonly what: 'prev' | 'stored' | 'proof';
    }
  | {
      readonly code: 'head_invalid';
      readonly size: number;
      readonly what: 'signature' | 'missing' | 'misplaced';
    }
  | { readonly code: 'checkpoint_invalid'; readonly size: number | null }
  | { readonly code: 'root_mismatch'; readonly size: number }
  | { readonly code: 'size_beyond_entries'; readonly size: number; readonly entries: number }
  | { readonly code: 'checkpoints_inconsistent'; readonly size: number }
  | { readonly code: 'receipt_invalid'; readonly size: number }
  | { readonly code: 'receipt_key_mismatch'; readonly size: number }
  | { readonly code: 'anchor_not_monotone'; readonly seq: number }
  | { readonly code: 'anchor_gap'; readonly from: number; readonly size: number }
  | {
      readonly code: 'key_unknown';
      /** `pinned`, `origin`: not what the reader trusts. `proof`: a new key that the old one did not hand over to. */
      readonly what: 'pinned' | 'origin' | 'proof';
      readonly seq: number;
    }
  | { readonly code: 'key_revoked'; readonly size: number }
  | {
      readonly code: 'reference_broken';
      readonly seq: number;
      readonly member: string;
      readonly to: number | null;
    }
  | { readonly code: 'opening_mismatch'; readonly seq: number; readonly label: Label }
  | {
      readonly code: 'verdict_mismatch';
      readonly seq: number;
      /** The verdict that follows; null where the record contradicts itself or the login's token. */
      readonly expected: Verdict | null;
    }
  | { readonly code: 'chain_mismatch'; readonly seq: number; readonly what: TokenPart }
  // Warnings
  | { readonly code: 'time_backwards'; readonly seq: number }
  | { readonly code: 'time_outside_bracket'; readonly seq: number }
  | { readonly code: 'outcome_unknown'; readonly seq: number }
  | { readonly code: 'entry_unknown_kind'; readonly seq: number; readonly kind: string }
  | { readonly code: 'key_compromised_window'; readonly from: number; readonly size: number }
  | { readonly code: 'anchor_development'; readonly size: number }
  | { readonly code: 'issuer_keys_self_archived'; readonly iss: string }
  | { readonly code: 'chain_built_by_gateway'; readonly seq: number }
  // Not established
  | { readonly code: 'tail_uncovered'; readonly from: number; readonly size: number }
  | { readonly code: 'key_not_confirmed'; readonly vkey: string | null }
  | { readonly code: 'receipt_missing'; readonly seq: number }
  | { readonly code: 'receipt_unknown_log'; readonly size: number }
  | { readonly code: 'opening_erased'; readonly seq: number; readonly count: number }
  | { readonly code: 'opening_missing'; readonly seq: number; readonly count: number }
  | { readonly code: 'identity_erased'; readonly seq: number; readonly count: number }
  | { readonly code: 'token_unavailable'; readonly seq: number; readonly count: number }
  | { readonly code: 'pruned_by_policy'; readonly from: number; readonly size: number }
  | { readonly code: 'selection_only'; readonly from: number }
  | { readonly code: 'verdict_not_recomputed'; readonly seq: number; readonly count: number };

/** The name of a kind of finding. */
export type FindingCode = Finding['code'];

/**
 * `failing`: what is recorded contradicts itself, its signature or its evidence. `warning`: it stands,
 * but should be looked at. `not_established`: nobody could check it with what was given.
 */
export type Severity = 'failing' | 'warning' | 'not_established';

/** Every code, and how much it weighs. */
export const SEVERITIES: Readonly<Record<FindingCode, Severity>> = {
  bundle_damaged: 'failing',
  entry_malformed: 'failing',
  entry_order: 'failing',
  chain_broken: 'failing',
  head_invalid: 'failing',
  checkpoint_invalid: 'failing',
  root_mismatch: 'failing',
  size_beyond_entries: 'failing',
  checkpoints_inconsistent: 'failing',
  receipt_invalid: 'failing',
  receipt_key_mismatch: 'failing',
  anchor_not_monotone: 'failing',
  anchor_gap: 'failing',
  key_unknown: 'failing',
  key_revoked: 'failing',
  reference_broken: 'failing',
  opening_mismatch: 'failing',
  verdict_mismatch: 'failing',
  chain_mismatch: 'failing',
  time_backwards: 'warning',
  time_outside_bracket: 'warning',
  outcome_unknown: 'warning',
  entry_unknown_kind: 'warning',
  key_compromised_window: 'warning',
  anchor_development: 'warning',
  issuer_keys_self_archived: 'warning',
  chain_built_by_gateway: 'warning',
  tail_uncovered: 'not_established',
  key_not_confirmed: 'not_established',
  receipt_missing: 'not_established',
  receipt_unknown_log: 'not_established',
  opening_erased: 'not_established',
  opening_missing: 'not_established',
  identity_erased: 'not_established',
  token_unavailable: 'not_established',
  pruned_by_policy: 'not_established',
  selection_only: 'not_established',
  verdict_not_recomputed: 'not_established',
};
