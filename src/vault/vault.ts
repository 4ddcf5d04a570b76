/**
 * What can be erased: who is behind a pseudonym, tokens, and what opens commitments. It lives in a
 * database of its own, sealed under a key of its own, so that the ledger stays sound without it.
 *
 * @module
 */
import type { Actor } from '../attribution/act-chain.ts';
import type { Json } from '../attribution/tool-call.ts';
import type { Commitment } from '../evidence/kinds.ts';

/** A person as the ledger needs one. */
export interface Subject {
  /** `k` of the pseudonym: 32 random bytes, one per (issuer, subject), never derived. */
  readonly key: Uint8Array;
  /** Commitment to the identity claims, label `claims`. */
  readonly claims: Commitment;
}

/** What opens a commitment. `value` may be absent: then only the salt is kept. */
export interface Opening {
  readonly commitment: Commitment;
  readonly label:
    'args' | 'args.bytes' | 'result' | 'result.bytes' | 'directive' | 'shown' | 'text';
  /** 32 bytes. */
  readonly salt: Uint8Array;
  readonly value?: Json;
  /** Whose opening it is, so that it is erased with the person; absent for calls without a human. */
  readonly subject?: Uint8Array;
}

export interface TokenEvidence {
  readonly commitment: Commitment;
  readonly salt: Uint8Array;
  readonly jwt: string;
  readonly subject?: Uint8Array;
}

export interface Vault {
  /** Finds or makes a subject; durable (FULL) before it resolves. One per (issuer, subject), also under concurrency. */
  subject(person: Actor, claims: Json): Promise<Subject>;

  /** Keeps openings and tokens; written before the intent that commits to them, grouped. */
  keep(evidence: {
    readonly openings?: readonly Opening[];
    readonly tokens?: readonly TokenEvidence[];
  }): Promise<void>;

  /** Keeps an issuer's key set as it was fetched, by SHA-256 of its bytes. Answers the digest. */
  keepKeySet(iss: string, raw: Uint8Array): Promise<Uint8Array>;

  findOpening(commitment: Commitment): Promise<Opening | undefined>;
  findToken(commitment: Commitment): Promise<TokenEvidence | undefined>;
  findKeySet(digest: Uint8Array): Promise<{ iss: string; raw: Uint8Array } | undefined>;

  /** Who a pseudonym key stands for. Naming is recorded by the caller first. */
  findPerson(subjectKey: Uint8Array): Promise<{ person: Actor; claims: Json } | undefined>;
  subjects(): AsyncIterable<{
    key: Uint8Array;
    person: Actor;
    claims: Json;
    claimsSalt: Uint8Array;
  }>;

  close(): Promise<void>;
}
