/**
 * What the entries of format `crumb/1` say, kind by kind. docs/formats/entry-v1.md is the
 * specification; entry.ts reads and writes them.
 *
 * Every listed member is present in the bytes; what may be empty is `null`. Strings that hold binary
 * are base64url without padding. Instants are RFC 3339 UTC with milliseconds.
 *
 * @module
 */
import type { Actor } from '../attribution/act-chain.ts';
import type { DirectiveSource } from '../attribution/directive.ts';
import type { Reason, Verdict } from '../attribution/judge.ts';
import type { CallOrigin } from '../attribution/tool-call.ts';

/** `h1.` or `f1.` and base64url: see commitment.ts. */
export type Commitment = string;
/** 32 bytes in base64url: see pseudonym.ts. */
export type Pseudonym = string;
/** Sequence number of another entry. */
export type Seq = number;
/** `YYYY-MM-DDTHH:mm:ss.sssZ` */
export type Instant = string;
/** SHA-256 in base64url. */
export type Digest = string;

/** What was, or was to be, called. */
export interface CallRecord {
  readonly id: string;
  readonly tool: string;
  readonly resource: string;
  readonly action: string;
  readonly args: Commitment;
  readonly origin: CallOrigin;
}

/** Where the inner `act` claims of a token came from: its subject token, its actor token, or nowhere. */
export type Nesting = 'subject' | 'actor' | 'none';

/** A delegation token: what it says, and a commitment to its bytes. */
export interface TokenRecord {
  readonly iss: string;
  readonly profile: string;
  readonly nesting: Nesting;
  readonly kid: string | null;
  /** The `key` entry that commits to the issuer's key set. */
  readonly jwks: Seq;
  readonly aud: string;
  readonly scope: readonly string[];
  readonly exp: Instant;
  readonly txn: string | null;
  readonly c: Commitment;
}

/** A directive with its argument limits behind a commitment: see directive-record.ts. */
export interface DirectiveRecord {
  readonly source: DirectiveSource;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Label `directive`, over `{"arguments": {...}, "optional": [...]}`; null: any arguments. */
  readonly args: Commitment | null;
  readonly agents: readonly string[] | null;
  readonly expires: Instant | null;
  readonly maxUses: number | null;
}

/** A policy engine's answer, as the host reports it. */
export interface DecisionRecord {
  readonly by: string;
  readonly id: string;
  readonly effect: string;
}

/** The first entry: what this ledger is and what it promises. */
export interface GenesisBody {
  readonly origin: string;
  readonly salt: string;
  /** vkey of the ledger's signing key. */
  readonly key: string;
  readonly anchorKey: string | null;
  readonly recoveryKey: string | null;
  readonly policy: {
    readonly checkpoint: { readonly entries: number; readonly seconds: number };
    readonly anchor: {
      readonly entries: number;
      readonly seconds: number;
      readonly heartbeat: number;
      readonly maxGap: number;
      readonly require: readonly string[];
    } | null;
  };
  readonly maker: { readonly name: string; readonly version: string };
  readonly continues: {
    readonly origin: string;
    readonly size: number;
    readonly root: Digest;
  } | null;
}

/** A verified login of a human. */
export interface SessionBody {
  readonly op: 'open' | 'renew' | 'end' | 'deny';
  /** The session's `open` entry; null in that entry itself. */
  readonly session: Seq | null;
  readonly human: Pseudonym;
  readonly iss: string;
  readonly loginAt: Instant | null;
  readonly acr: string | null;
  readonly amr: readonly string[];
  readonly expires: Instant | null;
  /** Agents upstream of us, of a token that was already delegated when it reached us. */
  readonly chain: readonly Actor[];
  readonly claims: Commitment | null;
  readonly token: Commitment | null;
  readonly jwks: Seq | null;
  readonly directives: readonly DirectiveRecord[];
}

/** A human's yes to one exact call; a no is a refusal. */
export interface ApprovalBody {
  readonly session: Seq;
  readonly human: Pseudonym;
  readonly call: CallRecord;
  readonly method: string;
  readonly shown: Commitment;
  readonly expires: Instant;
}

/** A delegation from one agent to the next, also when its token was cached. */
export interface HopBody {
  readonly session: Seq;
  /** The `delegate` intent. */
  readonly intent: Seq;
  readonly parent: Seq | null;
  readonly chain: readonly Actor[];
  readonly token: TokenRecord;
  readonly actorToken: Commitment | null;
}

/** Whether a call without a valid delegation is refused, or runs and is recorded. */
export type Mode = 'enforce' | 'record';

/** What an attempt is, whether or not it ran. */
interface AttemptBody {
  readonly session: Seq | null;
  readonly human: Pseudonym | null;
  readonly hop: Seq | null;
  readonly chain: readonly Actor[];
  readonly call: CallRecord;
  readonly mode: Mode;
  readonly verdict: Verdict;
  readonly reason: Reason | null;
  readonly directive: number | null;
  readonly approval: Seq | null;
  readonly decision: DecisionRecord | null;
}

/** A call that is about to run; durable before the tool starts. */
export interface IntentBody extends AttemptBody {
  readonly token: TokenRecord | null;
  /** `fresh`, `cached`, `none`, or the code of the error for which there is no token. */
  readonly exchange: string;
}

/** What came of an intent. */
export interface OutcomeBody {
  readonly intent: Seq;
  readonly status: 'ok' | 'error' | 'aborted';
  readonly result: Commitment | null;
  readonly error: string | null;
  readonly ms: number;
}

/** A call that did not run. */
export interface RefusalBody extends AttemptBody {
  readonly code: string;
  readonly iss: string | null;
  readonly profile: string | null;
  readonly expected: readonly Actor[];
  readonly got: readonly Actor[] | null;
}

/** Something seen that Crumb neither let run nor refused; source `vault`: a person is about to be named. */
export interface ObservedBody {
  readonly source: 'provider' | 'client' | 'unguarded' | 'vault';
  readonly session: Seq | null;
  readonly human: Pseudonym | null;
  readonly chain: readonly Actor[];
  readonly call: CallRecord | null;
  readonly verdict: Verdict | null;
  readonly result: Commitment | null;
  readonly purpose: string | null;
  readonly by: Pseudonym | null;
}

/** A third party has fixed a checkpoint. */
export interface AnchorBody {
  readonly type: 'rekor' | 'timestamp' | 'witness';
  readonly size: number;
  readonly note: Digest;
  readonly receipt: Digest;
  readonly log: string;
  readonly index: number | null;
  readonly at: Instant | null;
  readonly trust: Digest | null;
}

/** A key comes, goes or is found stolen; or an issuer shows a key set for the first time. */
export interface KeyBody {
  readonly role: 'ledger' | 'anchor' | 'recovery' | 'issuer';
  readonly op: 'add' | 'retire' | 'revoke';
  /** vkey, SPKI, or for an issuer its key set by digest. */
  readonly key: string | { readonly iss: string; readonly jwks: Digest };
  readonly proof: string | null;
  readonly since: Instant | null;
  readonly reason: string | null;
}

/** What can be erased about people has been, in the vault. */
export interface ErasureBody {
  readonly humans: readonly Pseudonym[];
  readonly what: readonly ('identity' | 'tokens' | 'openings')[];
  readonly basis: string;
  readonly by: Pseudonym | null;
}

/** Nothing in its scope may be erased or pruned until it is released. */
export interface HoldBody {
  readonly op: 'place' | 'release';
  readonly id: string;
  readonly humans: readonly Pseudonym[];
  readonly start: Seq | null;
  readonly end: Seq | null;
  readonly basis: string;
  readonly by: Pseudonym | null;
}

/** A report that names people was made. */
export interface ReportBody {
  readonly digest: Digest;
  readonly humans: readonly Pseudonym[];
  readonly purpose: string;
  readonly by: Pseudonym;
  readonly recipient: Commitment | null;
}

/** The bytes of old entries are given up; their leaf hashes stay. */
export interface PruneBody {
  readonly start: Seq;
  readonly end: Seq;
  readonly root: Digest;
  readonly policy: string;
}

/** A later word on an earlier entry, which stays as it is. */
export interface CorrectionBody {
  readonly of: Seq;
  readonly about: string;
  readonly text: Commitment;
  readonly by: Pseudonym | null;
}

/** Body by kind: the closed list of what a ledger can say. */
export interface Bodies {
  readonly genesis: GenesisBody;
  readonly session: SessionBody;
  readonly approval: ApprovalBody;
  readonly hop: HopBody;
  readonly intent: IntentBody;
  readonly outcome: OutcomeBody;
  readonly refusal: RefusalBody;
  readonly observed: ObservedBody;
  readonly anchor: AnchorBody;
  readonly key: KeyBody;
  readonly erasure: ErasureBody;
  readonly hold: HoldBody;
  readonly report: ReportBody;
  readonly prune: PruneBody;
  readonly correction: CorrectionBody;
}

/** What an entry can be about. */
export type Kind = keyof Bodies;

/** One entry as its bytes say it. */
export type Entry = {
  readonly [K in Kind]: {
    readonly v: 'crumb/1';
    readonly seq: Seq;
    readonly prev: Digest;
    readonly time: Instant;
    readonly kind: K;
    readonly body: Bodies[K];
  };
}[Kind];
