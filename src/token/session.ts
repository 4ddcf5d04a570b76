/**
 * A human's verified login, made once and opaque afterwards.
 *
 * @module
 */
import type { Actor } from '../attribution/act-chain.ts';
import type { Directive } from '../attribution/directive.ts';
import type { Json } from '../attribution/tool-call.ts';

/** The keys of an issuer as they were fetched, byte for byte. */
export interface KeySetSnapshot {
  readonly iss: string;
  readonly raw: Uint8Array;
}

/** What a session is made of, once everything was checked. */
export interface SessionFacts {
  readonly human: Actor;
  readonly sid: string | undefined;
  readonly loginAt: Date | undefined;
  readonly acr: string | undefined;
  readonly amr: readonly string[];
  readonly expires: Date;
  /** Agents upstream of us; empty when the human called us directly. */
  readonly upstream: readonly Actor[];
  readonly directives: readonly Directive[];
  readonly malformedDirectives: readonly number[];
  readonly scope: readonly string[];
  /** Identity claims for the vault: name, email and the like. Never for a log. */
  readonly claims: Json;
  readonly kid: string | undefined;
  readonly keySet: KeySetSnapshot;
}
