/**
 * What can be erased: who is behind a pseudonym, tokens, and what opens commitments. It lives in a
 * database of its own, sealed under a key of its own, so that the ledger stays sound without it.
 *
 * @module
 */
import type { Actor } from '../attribution/act-chain.ts';
import type { Json } from '../attribution/tool-call.ts';
import type { Commitment, ErasureBody } from '../evidence/kinds.ts';

/** A person as the ledger needs one. */
export interface Subject {
  /** `k` of the pseudonym: 32 random bytes, one per (issuer, subject), never derived. */
  readonly key: Uint8Array;
  /** Commitment to the identity claims, label `claims`. Other claims later give another commitment. */
  readonly claims: Commitment;
}

/** What a commitment can be opened as; commitment.ts explains the labels. `token` has its own form. */
export type OpeningLabel =
  'args' | 'args.bytes' | 'result' | 'result.bytes' | 'directive' | 'shown' | 'text' | 'claims';

/** What opens a commitment. `value` may be absent: then only the salt is kept. */
export interface Opening {
  readonly commitment: Commitment;
  readonly label: OpeningLabel;
  /** 32 bytes. */
  readonly salt: Uint8Array;
  /** For `.bytes` labels: the bytes in base64url. */
  readonly value?: Json;
  /** {@link Subject.key} of whose opening it is, to erase it with the person; absent for calls without a human. */
  readonly subject?: Uint8Array;
}

/** A token that a crumb commits to, label `token`. */
export interface TokenEvidence {
  readonly commitment: Commitment;
  /** 32 bytes. */
  readonly salt: Uint8Array;
  /** The token itself, as it was sent. */
  readonly jwt: string;
  /** {@link Subject.key} of whose token it is. */
  readonly subject?: Uint8Array;
}

/** What the vault has for a commitment, whatever it is. */
export interface KeptOpening {
  readonly commitment: Commitment;
  readonly label: OpeningLabel | 'token';
  /** 32 bytes. */
  readonly salt: Uint8Array;
  /** Absent if only the salt is kept. A token is its text; `.bytes` labels are base64url. */
  readonly value?: Json;
}

/** What of a person can be erased apart. `identity` is the name behind the pseudonym and its key. */
export type Erasable = ErasureBody['what'][number];

/** A person as the vault knows one, for those who may look. */
export interface KnownPerson {
  /** {@link Subject.key}: with the ledger's origin it makes the pseudonym. */
  readonly key: Uint8Array;
  readonly person: Actor;
  /** The newest identity claims. */
  readonly claims: Json;
  /** Salt of {@link Subject.claims}, 32 bytes. */
  readonly claimsSalt: Uint8Array;
}

/** How {@link Vault.sweep} chooses. */
export interface SweepOptions {
  /**
   * Rows younger than this stay, in milliseconds. Default 24 hours: openings are kept before the
   * entry that commits to them, and a session's entry comes only with its first call.
   */
  readonly olderThanMs?: number;
}

/**
 * The erasable side of one ledger.
 *
 * Every method may throw `vault_unwritable` (disk full, locked for too long), `vault_invalid` (a row
 * was changed, or belongs to another place) or `vault_closed`.
 */
export interface Vault {
  /** Finds or makes a subject; durable (FULL) before it resolves. One per (issuer, subject), also under concurrency. */
  subject(person: Actor, claims: Json): Promise<Subject>;

  /**
   * Keeps openings and tokens; written before the intent that commits to them. Concurrent calls share
   * one transaction, and each resolves after it. A crash of the process loses nothing that resolved; a
   * power failure may (synchronous NORMAL), which verification then reports as `opening_missing`.
   */
  keep(evidence: {
    readonly openings?: readonly Opening[];
    readonly tokens?: readonly TokenEvidence[];
  }): Promise<void>;

  /** Keeps an issuer's key set as it was fetched, by SHA-256 of its bytes. Answers the digest. */
  keepKeySet(iss: string, raw: Uint8Array): Promise<Uint8Array>;

  /**
   * All that is kept of these commitments, tokens included, in any order. What is not kept is left out:
   * fewer may come back than were asked for.
   */
  findOpenings(commitments: readonly Commitment[]): Promise<readonly KeptOpening[]>;
  findOpening(commitment: Commitment): Promise<Opening | undefined>;
  findToken(commitment: Commitment): Promise<TokenEvidence | undefined>;
  findKeySet(digest: Uint8Array): Promise<{ iss: string; raw: Uint8Array } | undefined>;

  /** Who a pseudonym key stands for. Naming is recorded by the caller first. */
  findPerson(subjectKey: Uint8Array): Promise<{ person: Actor; claims: Json } | undefined>;
  subjects(): AsyncIterable<KnownPerson>;

  /**
   * Destroys what is known of a person: rows are overwritten with zeros, and the log that held them
   * is emptied, before it resolves. A crash in between is finished when the vault is next opened.
   * Holds, and the ledger's `erasure` entry, are the caller's and come first. A person who returns
   * gets a new key. Backups, snapshots and the disk's own copies are out of reach.
   *
   * @returns How many rows went.
   */
  erase(subjectKey: Uint8Array, what: readonly Erasable[]): Promise<number>;

  /**
   * Deletes openings and tokens that no entry commits to: what a crash left between them and their
   * intent. Each row is asked about once, ever; identity claims are not, they belong to the subject.
   *
   * @param findReferenced Those of the commitments that the ledger holds.
   * @returns How many rows went.
   */
  sweep(
    findReferenced: (
      commitments: readonly Commitment[],
      kept: { readonly from: Date; readonly to: Date },
    ) => Promise<ReadonlySet<Commitment>>,
    options?: SweepOptions,
  ): Promise<number>;

  /** Writes what is queued, folds the log into the file, and lets go of it. */
  close(): Promise<void>;
}
