/**
 * What has to be remembered of earlier entries to check later ones: a byte for each entry, and a little
 * more for logins, hops and approvals, which are few.
 *
 * @module
 */
import type { Actor } from '../attribution/act-chain.ts';
import type { Directive } from '../attribution/directive.ts';
import type { CallRecord, Kind } from '../evidence/kinds.ts';

/** One directive of a login, as far as it could be opened. */
export interface KnownDirective {
  /** Without argument limits where those could not be opened. */
  readonly directive: Directive;
  /** Whether its limits on arguments are known. */
  readonly complete: boolean;
  /** The same for the same directive; undefined if its uses are not counted, or that cannot be said. */
  readonly id: string | undefined;
  /** Uses taken under this token. */
  used: number;
}

/** The directives of one token, in the forms that judging needs. */
export interface KnownDirectives {
  readonly each: readonly KnownDirective[];
  /** As far as they could be opened. */
  readonly opened: readonly Directive[];
  /** Without any limit on arguments. */
  readonly bare: readonly Directive[];
  /** Whether the time matters. */
  readonly expire: boolean;
}

export function knownDirectives(each: readonly KnownDirective[]): KnownDirectives {
  const opened = each.map(({ directive }) => directive);
  return {
    each,
    opened,
    bare: opened.map(({ args: _args, ...rest }) => rest),
    expire: opened.some(({ expires }) => expires !== undefined),
  };
}

/** One token of a login: a `session` entry `open` or `renew`. */
export interface KnownSession {
  readonly seq: number;
  /** Seq of the `open` entry. */
  readonly root: number;
  readonly human: string;
  readonly iss: string;
  readonly chain: readonly Actor[];
  readonly expiresMs: number;
  /** Undefined once it has long expired. */
  directives: KnownDirectives | undefined;
  /** Shared by all entries of a login: the `sub` of its first token that was opened. */
  readonly login: { subject: string | undefined };
}

/** A `hop` entry: agents after it act as `child`. */
export interface KnownHop {
  readonly root: number;
  /** The `delegate` intent. */
  readonly intent: number;
  readonly chain: readonly Actor[];
  readonly child: string;
}

/** An intent to delegate: a `hop` follows it, and more whenever the child outlives its token. */
export interface KnownDelegation {
  readonly root: number;
  readonly hop: number | null;
  readonly chain: readonly Actor[];
  readonly child: string;
  readonly token: string | undefined;
  /** Whether its first `hop` was there. */
  seen: boolean;
}

/** A yes that was not used yet. */
export interface KnownApproval {
  readonly root: number;
  readonly call: CallRecord;
  readonly expires: string;
}

/** A `key` entry with an issuer's key set. */
export interface KnownKeySet {
  readonly iss: string;
  readonly digest: string;
}

/** Kinds, and what else can stand at a place. */
export type PlaceKind = Kind | 'unknown' | 'pruned' | 'malformed';

export interface Facts {
  readonly kinds: Map<number, Uint8Array>;
  readonly sessions: Map<number, KnownSession>;
  readonly hops: Map<number, KnownHop>;
  readonly delegations: Map<number, KnownDelegation>;
  readonly approvals: Map<number, KnownApproval>;
  readonly keySets: Map<number, KnownKeySet>;
  /** Whose the intents without outcome are. */
  readonly openFor: Map<number, string>;
  /** Uses of a directive by one human, whatever the login. */
  readonly uses: Map<string, number>;
  /** Largest size anchored so far, by type and log. */
  readonly anchors: Map<string, number>;
  readonly chains: Map<string, readonly Actor[]>;
  readonly issuers: Map<string, string>;
  /** Logins whose directives are still in memory, oldest first. */
  readonly living: KnownSession[];
}

export function startFacts(): Facts {
  return {
    kinds: new Map(),
    sessions: new Map(),
    hops: new Map(),
    delegations: new Map(),
    approvals: new Map(),
    keySets: new Map(),
    openFor: new Map(),
    uses: new Map(),
    anchors: new Map(),
    chains: new Map(),
    issuers: new Map(),
    living: [],
  };
}

const KINDS: readonly PlaceKind[] = [
  'genesis',
  'session',
  'approval',
  'hop',
  'intent',
  'outcome',
  'refusal',
  'observed',
  'anchor',
  'key',
  'erasure',
  'hold',
  'report',
  'prune',
  'correction',
  'unknown',
  'pruned',
  'malformed',
];
const CODES: Readonly<Record<string, number>> = Object.fromEntries(
  KINDS.map((kind, n) => [kind, n + 1]),
);

const PAGE = 4096;
/** Set on an intent once its outcome is there. */
const CLOSED = 0x80;

export function setKind({ kinds }: Facts, seq: number, kind: PlaceKind): void {
  const page = Math.floor(seq / PAGE);
  let bytes = kinds.get(page);
  if (bytes === undefined) {
    bytes = new Uint8Array(PAGE);
    kinds.set(page, bytes);
  }
  bytes[seq % PAGE] = CODES[kind] ?? 0;
}

/** What stands at a place; undefined if nothing was given for it. */
export function kindAt({ kinds }: Facts, seq: number): PlaceKind | undefined {
  const code = kinds.get(Math.floor(seq / PAGE))?.[seq % PAGE] ?? 0;
  return KINDS[(code & ~CLOSED) - 1];
}

/** Notes the outcome of an intent; false if there is one already. */
export function closeIntent({ kinds }: Facts, seq: number): boolean {
  const bytes = kinds.get(Math.floor(seq / PAGE));
  const at = seq % PAGE;
  const code = bytes?.[at] ?? 0;
  if (bytes === undefined || (code & CLOSED) !== 0) return false;
  bytes[at] = code | CLOSED;
  return true;
}

/** Intents without outcome, in order. */
export function* openIntents({ kinds }: Facts): Iterable<number> {
  const intent = CODES['intent'];
  for (const [page, bytes] of [...kinds].toSorted(([a], [b]) => a - b)) {
    for (const [n, code] of bytes.entries()) if (code === intent) yield page * PAGE + n;
  }
}

/** One object for equal chains: there are few, and many crumbs name them. */
export function internChain({ chains }: Facts, chain: readonly Actor[]): readonly Actor[] {
  const key = JSON.stringify(chain);
  const known = chains.get(key);
  if (known !== undefined) return known;
  if (chains.size < 10_000) chains.set(key, chain);
  return chain;
}

/** The same for issuers, whose names come out of each login anew. */
export function internIssuer({ issuers }: Facts, iss: string): string {
  const known = issuers.get(iss);
  if (known !== undefined) return known;
  if (issuers.size < 1_000) issuers.set(iss, iss);
  return iss;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Lets go of the directives of logins that ended long before this time. */
export function forgetEnded({ living }: Facts, nowMs: number): void {
  let first = living[0];
  while (first !== undefined && first.expiresMs + DAY_MS < nowMs) {
    first.directives = undefined;
    living.shift();
    first = living[0];
  }
}
