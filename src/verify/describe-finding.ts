/**
 * Findings in words, for people who have never seen Crumb.
 *
 * @module
 */
import { visible } from '../evidence/visible.ts';
import type { DamageKind, Finding, TokenPart } from './findings.ts';

/** A finding in one plain sentence. Text from the ledger is shown so that it cannot steer a terminal. */
export function describeFinding(finding: Finding): string {
  switch (finding.code) {
    case 'bundle_damaged':
      return `line ${finding.line}: ${DAMAGES[finding.what]}`;
    case 'entry_malformed':
      return `crumb ${finding.seq} is not an entry of format crumb/1: its bytes were changed`;
    case 'entry_order':
      return `where crumb ${finding.seq} should be stands one that calls itself crumb ${finding.found}`;
    case 'chain_broken':
      return CHAIN[finding.what](finding.seq);
    case 'head_invalid':
      return HEADS[finding.what](finding.size);
    case 'checkpoint_invalid':
      return finding.size === null
        ? 'a checkpoint is not a signed note of this ledger'
        : `the checkpoint of size ${finding.size} is not signed by the key of this ledger`;
    case 'root_mismatch':
      return `the first ${finding.size} crumbs are not those that the checkpoint of this size signed`;
    case 'size_beyond_entries':
      return `a signed head speaks of ${finding.size} crumbs, and there are ${finding.entries}: the end was cut off`;
    case 'checkpoints_inconsistent':
      return `two signed heads of size ${finding.size} contradict each other: the key signed two histories`;
    case 'receipt_invalid':
      return `the receipt for size ${finding.size} does not verify`;
    case 'receipt_key_mismatch':
      return `the receipt for size ${finding.size} is logged under a key that is not the anchor key`;
    case 'anchor_not_monotone':
      return `crumb ${finding.seq} records an anchor of a size that was not yet, or no longer, the newest`;
    case 'anchor_gap':
      return `crumbs ${finding.from} to ${finding.size - 1} waited longer for an anchor than the ledger promises`;
    case 'key_unknown':
      return KEYS[finding.what](finding.seq);
    case 'key_revoked':
      return `the head of size ${finding.size} is signed by a key that was revoked before`;
    case 'reference_broken':
      return `crumb ${finding.seq} refers to ${finding.to === null ? 'nothing' : `crumb ${finding.to}`} as its ${finding.member}, which is not one that it may refer to`;
    case 'opening_mismatch':
      return `what is given as the ${finding.label} of crumb ${finding.seq} is not what it commits to`;
    case 'verdict_mismatch':
      return finding.expected === null
        ? `crumb ${finding.seq} does not agree with the login that it rests on`
        : `the verdict of crumb ${finding.seq} should be "${finding.expected}", or rest on something else, by the directives on record`;
    case 'chain_mismatch':
      return `${PARTS[finding.what]} crumb ${finding.seq}`;
    default:
      return describeMilder(finding);
  }
}

type Milder = Exclude<Finding, { readonly code: FailingCode }>;
type FailingCode =
  | 'bundle_damaged'
  | 'entry_malformed'
  | 'entry_order'
  | 'chain_broken'
  | 'head_invalid'
  | 'checkpoint_invalid'
  | 'root_mismatch'
  | 'size_beyond_entries'
  | 'checkpoints_inconsistent'
  | 'receipt_invalid'
  | 'receipt_key_mismatch'
  | 'anchor_not_monotone'
  | 'anchor_gap'
  | 'key_unknown'
  | 'key_revoked'
  | 'reference_broken'
  | 'opening_mismatch'
  | 'verdict_mismatch'
  | 'chain_mismatch';

function describeMilder(finding: Milder): string {
  switch (finding.code) {
    case 'time_backwards':
      return `the time of crumb ${finding.seq} is before that of the crumb before it`;
    case 'time_outside_bracket':
      return `crumb ${finding.seq} claims a time that its anchors do not allow`;
    case 'outcome_unknown':
      return `the intent of crumb ${finding.seq} was recorded and no outcome was: the tool may or may not have acted`;
    case 'entry_unknown_kind':
      return `crumb ${finding.seq} is of kind "${visible(finding.kind)}", which this version does not know`;
    case 'key_compromised_window':
      return `crumbs ${finding.from} to ${finding.size - 1} were signed while the key may have been in other hands`;
    case 'anchor_development':
      return `the anchor of size ${finding.size} is in a development log: it proves nothing outside this machine`;
    case 'issuer_keys_self_archived':
      return `the keys of ${visible(finding.iss)} are those that the recorder archived: no independent copy was given`;
    case 'chain_built_by_gateway':
      return `the chain of crumb ${finding.seq} was put together by the gateway, agent by agent, and then signed by the issuer`;
    case 'tail_uncovered':
      return `crumbs ${finding.from} to ${finding.size - 1} are in no anchored checkpoint`;
    case 'key_not_confirmed':
      return `nobody told this verifier which key to expect; the ledger says ${finding.vkey === null ? 'none' : visible(finding.vkey)}`;
    case 'receipt_missing':
      return `the receipt that crumb ${finding.seq} speaks of is not in the bundle`;
    case 'receipt_unknown_log':
      return `the receipt for size ${finding.size} is of a log or witness that this verifier was not told to trust`;
    case 'opening_erased':
      return `${times(finding.count, 'commitment')} from crumb ${finding.seq} on cannot be opened any more: erased with the person`;
    case 'opening_missing':
      return `${times(finding.count, 'commitment')} from crumb ${finding.seq} on cannot be opened, and no erasure is on record`;
    case 'identity_erased':
      return `${times(finding.count, 'identity', 'identities')} erased, the first by crumb ${finding.seq}`;
    case 'token_unavailable':
      return `${times(finding.count, 'token')} from crumb ${finding.seq} on could not be checked: the token or its key set is not here`;
    case 'pruned_by_policy':
      return `crumbs ${finding.from} to ${finding.size - 1} expired by policy; their hashes remain`;
    case 'selection_only':
      return finding.from === 0
        ? 'this is a selection: what is here was logged, and more may exist'
        : `this starts at crumb ${finding.from}: what it refers to before that was not checked`;
    case 'verdict_not_recomputed':
      return `${times(finding.count, 'verdict')} from crumb ${finding.seq} on could not be judged again: arguments or directives are not here`;
    default:
      return finding satisfies never;
  }
}

const DAMAGES: Readonly<Record<DamageKind, string>> = {
  no_header: 'this is not a bundle',
  malformed_line: 'not a line of format crumb-bundle/1',
  line_too_long: 'longer than the format allows',
  misplaced_line: 'does not belong where it stands',
  cut_off: 'the bundle ends too early',
  digest: 'the bundle is not the one that was written: its digest differs',
};

const CHAIN = {
  prev: (seq: number) =>
    `crumb ${seq} does not follow crumb ${seq - 1} as it is now: one of the two was changed, or one between them is gone`,
  stored: (seq: number) =>
    `crumb ${seq} was changed: the hash that the database keeps beside it is not the hash of its bytes`,
  proof: (seq: number) => `crumb ${seq} is not in the tree that was signed`,
};

const HEADS = {
  signature: (size: number) =>
    `the signed head of size ${size} does not fit the crumbs before it: they or the signature were changed`,
  missing: (size: number) => `no signed head covers the last crumbs, up to size ${size}`,
  misplaced: (size: number) => `a signed head of size ${size} stands in another place`,
};

const KEYS = {
  pinned: () => 'the ledger is not signed by the key that you trust',
  origin: () => 'this is another ledger than the one that you asked for',
  proof: (seq: number) =>
    `the key that crumb ${seq} names was not handed over to by its predecessor`,
};

const PARTS: Readonly<Record<TokenPart, string>> = {
  signature: 'the issuer did not sign the token of',
  issuer: 'another issuer than recorded made the token of',
  human: 'another human stands in the token of',
  chain: 'other agents stand in the token than in the record of',
  audience: 'another resource stands in the token than in the record of',
  scope: 'other scopes stand in the token than in the record of',
  expiry: 'the token was not valid at the time of',
  claims: 'the token says something else about itself than',
  growth: 'the chain is not one agent longer than what it rests on, at',
};

function times(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
