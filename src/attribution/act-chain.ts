/**
 * The RFC 8693 act chain: which agents acted, in which order, between the human and the call.
 *
 * A token nests it inside out: the outermost `act` holds the token, each inner one is whom it took
 * over from. It is flattened here, once; no other module walks nested claims.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-4.1
 * @module
 */
import { CrumbError } from '../errors.ts';

/** Software that acts, named by the issuer that registered it. */
export interface Actor {
  readonly iss: string;
  readonly sub: string;
}

/**
 * Agents in order of delegation: the human directed the first, the last holds the token.
 *
 * Only the last may count in an access decision; RFC 8693 makes the others informational.
 */
export type ActChain = readonly [Actor, ...Actor[]];

/** Deepest nesting accepted. A longer chain is a loop or an attack, not a delegation. */
export const MAX_ACTORS = 8;

/** What is read of a node; anything else in it is ignored, unless it would change who or how long. */
const MEANINGLESS_INSIDE = new Set(['exp', 'nbf', 'aud', 'iat', 'jti', '__proto__']);

/** In UTF-8: what an entry has room for. */
const MAX_NAME_BYTES = 512;

const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Flattens the `act` claim of a token whose signature is already verified.
 *
 * @param tokenIss `iss` of that token. It names actors without `iss`, until one names another issuer.
 * @param human The token's subject, who must not stand among the agents.
 * @throws {CrumbError} `act_too_deep`, `act_malformed`, `act_issuer_missing`, `act_repeated`,
 *   `act_is_subject`.
 */
export function parseActChain(act: unknown, tokenIss: string, human: Actor): ActChain {
  const newestFirst: Actor[] = [];
  let foreign = false;

  // A loop, not recursion: the depth is the issuer's choice, and the stack is ours.
  let node = act;
  while (node !== undefined) {
    if (newestFirst.length === MAX_ACTORS) throw new CrumbError('act_too_deep');
    const { iss, sub, act: inner } = parseActClaim(node);
    if (foreign && iss === undefined) throw new CrumbError('act_issuer_missing');
    foreign ||= iss !== undefined && iss !== tokenIss;
    newestFirst.push({ iss: iss ?? tokenIss, sub });
    node = inner;
  }

  const [first, ...rest] = newestFirst.toReversed();
  if (first === undefined) throw new CrumbError('act_malformed');
  return checkActChain([first, ...rest], human);
}

/** Holds a chain to the rules that hold for every chain: bounded, no agent twice, no human inside. */
export function checkActChain(chain: ActChain, human: Actor): ActChain {
  if (chain.length > MAX_ACTORS) throw new CrumbError('act_too_deep');
  if (chain.some((actor) => sameActor(actor, human))) throw new CrumbError('act_is_subject');
  const repeated = chain.some((actor, n) =>
    chain.slice(0, n).some((earlier) => sameActor(earlier, actor)),
  );
  if (repeated) throw new CrumbError('act_repeated');
  return chain;
}

/** The chain one agent longer. */
export function extendActChain(chain: readonly Actor[], actor: Actor): ActChain {
  const [first, ...rest] = [...chain, actor];
  return first === undefined ? [actor] : [first, ...rest];
}

export function sameActor(a: Actor, b: Actor): boolean {
  return a.iss === b.iss && a.sub === b.sub;
}

/** Node by node, issuer-qualified. */
export function sameChain(a: readonly Actor[], b: readonly Actor[]): boolean {
  return (
    a.length === b.length && a.every((actor, n) => sameActor(actor, b[n] ?? { iss: '', sub: '' }))
  );
}

/** The agent that acts: the last of the chain. */
export function actingAgentOf(chain: ActChain): Actor {
  return chain.at(-1) ?? chain[0];
}

interface ActClaim {
  readonly iss: string | undefined;
  readonly sub: string;
  readonly act: unknown;
}

/** One node. Own members only: an inherited `sub` would be an attacker's who reached Object.prototype. */
function parseActClaim(node: unknown): ActClaim {
  if (!isPlainObject(node)) throw new CrumbError('act_malformed');
  const members = new Map<string, unknown>(Object.entries(node));
  const [iss, sub, act] = [members.get('iss'), members.get('sub'), members.get('act')];
  const isChanged = [...members.keys()].some((name) => MEANINGLESS_INSIDE.has(name));
  if (isChanged || !isName(sub) || (members.has('act') && act === undefined)) {
    throw new CrumbError('act_malformed');
  }
  if (!members.has('iss')) return { iss: undefined, sub, act };
  if (!isName(iss)) throw new CrumbError('act_malformed');
  return { iss, sub, act };
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A name that prints as what it is, and fits an entry: no control, format or surrogate characters. */
function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_NAME_BYTES) return false;
  return !CONTROL.test(value) && new TextEncoder().encode(value).length <= MAX_NAME_BYTES;
}
