/**
 * The bodies of tool calls in canonical JSON, the fast way: written in fixed order, if all that is in them
 * is plain. Whatever is not plain, or not as the format wants it, is left to `encodeEntry`.
 *
 * Two of these are written for each tool call, and `encodeEntry` takes longer than all else that the ledger
 * does for an entry. A property test holds both to the same bytes.
 *
 * @module
 */
import { REASON_CODES } from '../attribution/judge.ts';
import type { Kind } from '../evidence/kinds.ts';

/** Canonical text of a body; undefined if `encodeEntry` must look at it. */
export function plainBody(kind: Kind, body: object): string | undefined {
  if (kind === 'intent') return intentText(body);
  return kind === 'outcome' ? outcomeText(body) : undefined;
}

/** ASCII that JSON writes as it is, so that characters are bytes. */
const PLAIN = /^[ !#-[\]-~]*$/;
const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const COMMITMENT = /^h1\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const CODE = /^[a-z][a-z0-9_.-]{0,63}$/;
/** Days that every month has. */
const INSTANT =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}\.\d{3}Z$/;

type Members = Readonly<Record<string, unknown>>;

const OUTCOME = ['error', 'intent', 'ms', 'result', 'status'];

function outcomeText(body: object): string | undefined {
  if (!isRecord(body, OUTCOME)) return undefined;
  const { error, intent, ms, result, status } = body;
  return (error === null || isMatch(error, CODE)) &&
    isCount(intent) &&
    isCount(ms) &&
    (result === null || isMatch(result, COMMITMENT)) &&
    (status === 'ok' || status === 'error' || status === 'aborted')
    ? `{"error":${quoted(error)},"intent":${intent},"ms":${ms},"result":${quoted(result)},"status":"${status}"}`
    : undefined;
}

const INTENT =
  'approval call chain decision directive exchange hop human mode reason session token verdict'.split(
    ' ',
  );

function intentText(body: object): string | undefined {
  if (!isRecord(body, INTENT)) return undefined;
  const { approval, decision, directive, exchange, hop, human, mode, session, verdict } = body;
  const call = callText(body['call']);
  const chain = listText(body['chain'], actorText, 8);
  const reason = body['reason'] === null ? 'null' : reasonText(body['reason']);
  const token = body['token'] === null ? 'null' : tokenText(body['token']);
  if (call === undefined || chain === undefined || reason === undefined || token === undefined) {
    return undefined;
  }
  return isNullOrCount(approval) &&
    decision === null &&
    isNullOrCount(directive) &&
    isMatch(exchange, CODE) &&
    isNullOrCount(hop) &&
    (human === null || isMatch(human, DIGEST)) &&
    (mode === 'enforce' || mode === 'record') &&
    isNullOrCount(session) &&
    (verdict === 'authorized' || verdict === 'unauthorized' || verdict === 'unattributed')
    ? `{"approval":${approval},"call":${call},"chain":${chain},"decision":null,"directive":${directive},` +
        `"exchange":"${exchange}","hop":${hop},"human":${quoted(human)},"mode":"${mode}","reason":${reason},` +
        `"session":${session},"token":${token},"verdict":"${verdict}"}`
    : undefined;
}

const CALL = ['action', 'args', 'id', 'origin', 'resource', 'tool'];

function callText(call: unknown): string | undefined {
  if (!isRecord(call, CALL)) return undefined;
  const { action, args, id, origin, resource, tool } = call;
  return isWords(action) &&
    isMatch(args, COMMITMENT) &&
    isWords(id) &&
    (origin === 'model' || origin === 'approval-replay') &&
    isUri(resource) &&
    isWords(tool)
    ? `{"action":"${action}","args":"${args}","id":"${id}","origin":"${origin}","resource":"${resource}","tool":"${tool}"}`
    : undefined;
}

const TOKEN = ['aud', 'c', 'exp', 'iss', 'jwks', 'kid', 'nesting', 'profile', 'scope', 'txn'];

function tokenText(token: unknown): string | undefined {
  if (!isRecord(token, TOKEN)) return undefined;
  const { aud, c, exp, iss, jwks, kid, nesting, profile, txn } = token;
  const scope = listText(token['scope'], uriText, 64);
  return isUri(aud) &&
    isMatch(c, COMMITMENT) &&
    isMatch(exp, INSTANT) &&
    isUri(iss) &&
    isCount(jwks) &&
    (kid === null || isWords(kid)) &&
    (nesting === 'subject' || nesting === 'actor' || nesting === 'none') &&
    isWords(profile) &&
    scope !== undefined &&
    (txn === null || isWords(txn))
    ? `{"aud":"${aud}","c":"${c}","exp":"${exp}","iss":"${iss}","jwks":${jwks},"kid":${quoted(kid)},` +
        `"nesting":"${nesting}","profile":"${profile}","scope":${scope},"txn":${quoted(txn)}}`
    : undefined;
}

const ACTOR = ['iss', 'sub'];

function actorText(actor: unknown): string | undefined {
  if (!isRecord(actor, ACTOR)) return undefined;
  const { iss, sub } = actor;
  return isUri(iss) && isUri(sub) ? `{"iss":"${iss}","sub":"${sub}"}` : undefined;
}

const REASON = ['argument', 'code'];

function reasonText(reason: unknown): string | undefined {
  if (!isRecord(reason, REASON)) return undefined;
  const { argument, code } = reason;
  return (argument === null || isWords(argument)) && REASON_CODES.some((known) => known === code)
    ? `{"argument":${quoted(argument)},"code":"${String(code)}"}`
    : undefined;
}

function uriText(value: unknown): string | undefined {
  return isUri(value) ? `"${value}"` : undefined;
}

function listText(
  list: unknown,
  textOf: (item: unknown) => string | undefined,
  max: number,
): string | undefined {
  if (!Array.isArray(list) || list.length > max) return undefined;
  let text = '';
  for (const item of list) {
    const one = textOf(item);
    if (one === undefined) return undefined;
    text += text === '' ? one : `,${one}`;
  }
  return `[${text}]`;
}

/** An object with these own members and no others. */
function isRecord(value: unknown, names: readonly string[]): value is Members {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.keys(value).length !== names.length) return false;
  for (const name of names) if (!Object.hasOwn(value, name)) return false;
  return true;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value === 0 ? Object.is(value, 0) : Number(value) > 0);
}

function isNullOrCount(value: unknown): value is number | null {
  return value === null || isCount(value);
}

function isWords(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 256 && PLAIN.test(value);
}

function isUri(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 512 && PLAIN.test(value);
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function quoted(value: string | null): string {
  return value === null ? 'null' : `"${value}"`;
}
