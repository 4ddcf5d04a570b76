/**
 * The tool call that is running, as its own code sees it.
 *
 * @module
 */
import type { ActChain, Actor } from '../attribution/act-chain.ts';

/** Where the intent of a call stands in the ledger. Safe to pass on: it says nothing about anyone. */
export interface IntentReference {
  readonly origin: string;
  readonly seq: number;
  /** Leaf hash of the intent, base64url. */
  readonly hash: string;
}

export interface CurrentCallParts {
  readonly token: string | undefined;
  readonly human: Actor | undefined;
  readonly chain: ActChain;
  readonly intent: IntentReference;
  readonly fetch: typeof globalThis.fetch;
}

/** Handed out inside `execute` by `crumb.current()`. Prints without identity and token. */
export class CurrentCall {
  readonly #token: string | undefined;
  readonly #human: Actor | undefined;
  readonly chain: ActChain;
  readonly intent: IntentReference;
  /** A `fetch` that carries the delegation token under the address of the tool's resource. */
  readonly fetch: typeof globalThis.fetch;

  constructor(parts: CurrentCallParts) {
    this.#token = parts.token;
    this.#human = parts.human;
    this.chain = parts.chain;
    this.intent = parts.intent;
    this.fetch = parts.fetch;
    Object.freeze(this);
  }

  /** The delegation token; undefined for local tools, unattended jobs and `record` mode without one. */
  get token(): string | undefined {
    return this.#token;
  }

  /** Who directed the first agent; undefined for unattended jobs. */
  get human(): Actor | undefined {
    return this.#human;
  }

  toJSON(): object {
    return { call: 'redacted', intent: this.intent };
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `CurrentCall { redacted, intent ${this.intent.seq} }`;
  }
}
