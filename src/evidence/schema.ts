/**
 * The bodies of `crumb/1` as data: every kind, every member, every cap. A new member means `crumb/2`.
 * docs/formats/entry-v1.md says the same in words.
 *
 * @module
 */
import type { Actor } from '../attribution/act-chain.ts';
import { REASON_CODES, type Reason } from '../attribution/judge.ts';
import type {
  Bodies,
  CallRecord,
  DecisionRecord,
  DirectiveRecord,
  Kind,
  TokenRecord,
} from './kinds.ts';
import { isKeyName, parseVkey } from './note.ts';
import {
  binary,
  CAPS,
  count,
  either,
  instant,
  list,
  nullable,
  pattern,
  record,
  text,
  where,
  word,
  type Shape,
} from './shape.ts';

/** A word of ours or of a configuration, never of a model. */
const code = pattern(new RegExp(`^[a-z][a-z0-9_.-]{0,${CAPS.code - 1}}$`));
const words = text(CAPS.text);
const uri = text(CAPS.uri);
/** 32 bytes: the last of 43 characters carries four bits, so its other two are zero. */
const BYTES_32 = '[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]';
export const digest = pattern(new RegExp(`^${BYTES_32}$`));
const commitment = pattern(new RegExp(`^[hf]1\\.${BYTES_32}$`));
const pseudonym = digest;
const seq = count;
const vkey = where(uri, (value) => parseVkey(value)?.algorithm === 'ed25519');
const spki = binary(1024);
const signature = binary(256);
const origin = where(uri, isKeyName);

const chain = list(record<Actor>({ iss: uri, sub: uri }), CAPS.chain);

const call = record<CallRecord>({
  action: words,
  args: commitment,
  id: words,
  origin: word('model', 'approval-replay'),
  resource: uri,
  tool: words,
});

const token = record<TokenRecord>({
  aud: uri,
  c: commitment,
  exp: instant,
  iss: uri,
  jwks: seq,
  kid: nullable(words),
  nesting: word('subject', 'actor', 'none'),
  profile: words,
  scope: list(uri),
  txn: nullable(words),
});

const directive = record<DirectiveRecord>({
  actions: list(words),
  agents: nullable(list(uri)),
  args: nullable(commitment),
  expires: nullable(instant),
  maxUses: nullable(count),
  resources: list(uri),
  source: word('authorization_details', 'scope', 'approval'),
});

/** What an attempt is, whether or not it ran. */
const attempt = {
  approval: nullable(seq),
  call,
  chain,
  decision: nullable(record<DecisionRecord>({ by: words, effect: words, id: words })),
  directive: nullable(count),
  hop: nullable(seq),
  human: nullable(pseudonym),
  mode: word('enforce', 'record'),
  reason: nullable(record<Reason>({ argument: nullable(words), code: word(...REASON_CODES) })),
  session: nullable(seq),
  verdict: word('authorized', 'unauthorized', 'unattributed'),
};

/** Key sets are too large for an entry, so an issuer's stands here by SHA-256 of its bytes. */
const keySet = record<{ readonly iss: string; readonly jwks: string }>({ iss: uri, jwks: digest });

const key = where(
  record<Bodies['key']>({
    key: either<string, { readonly iss: string; readonly jwks: string }>(text(2048), keySet),
    op: word('add', 'retire', 'revoke'),
    proof: nullable(signature),
    reason: nullable(words),
    role: word('ledger', 'anchor', 'recovery', 'issuer'),
    since: nullable(instant),
  }),
  (body) => keyShape[body.role](body.key, []) !== undefined,
);

const keyShape: Readonly<Record<Bodies['key']['role'], Shape<unknown>>> = {
  ledger: vkey,
  recovery: vkey,
  anchor: spki,
  issuer: keySet,
};

const genesis = where(
  record<Bodies['genesis']>({
    anchorKey: nullable(spki),
    continues: nullable(record({ origin, root: digest, size: count })),
    key: vkey,
    maker: record({ name: words, version: words }),
    origin,
    policy: record({
      anchor: nullable(
        record({
          entries: count,
          heartbeat: count,
          maxGap: count,
          require: list(words),
          seconds: count,
        }),
      ),
      checkpoint: record({ entries: count, seconds: count }),
    }),
    recoveryKey: nullable(vkey),
    salt: digest,
  }),
  (body) => parseVkey(body.key)?.name === body.origin,
);

/** How each kind's body must look. The type keeps it complete: a member of kinds.ts cannot be forgotten. */
export const BODIES: { readonly [K in Kind]: Shape<Bodies[K]> } = {
  genesis,
  session: record({
    acr: nullable(uri),
    amr: list(words),
    chain,
    claims: nullable(commitment),
    directives: list(directive),
    expires: nullable(instant),
    human: pseudonym,
    iss: uri,
    jwks: nullable(seq),
    loginAt: nullable(instant),
    op: word('open', 'renew', 'end', 'deny'),
    session: nullable(seq),
    token: nullable(commitment),
  }),
  approval: record({
    call,
    expires: instant,
    human: pseudonym,
    method: words,
    session: seq,
    shown: commitment,
  }),
  hop: record({
    actorToken: nullable(commitment),
    chain,
    intent: seq,
    parent: nullable(seq),
    session: seq,
    token,
  }),
  intent: record({ ...attempt, exchange: code, token: nullable(token) }),
  outcome: record({
    error: nullable(code),
    intent: seq,
    ms: count,
    result: nullable(commitment),
    status: word('ok', 'error', 'aborted'),
  }),
  refusal: record({
    ...attempt,
    code,
    expected: chain,
    got: nullable(chain),
    iss: nullable(uri),
    profile: nullable(words),
  }),
  observed: record({
    by: nullable(pseudonym),
    call: nullable(call),
    chain,
    human: nullable(pseudonym),
    purpose: nullable(words),
    result: nullable(commitment),
    session: nullable(seq),
    source: word('provider', 'client', 'unguarded', 'vault'),
    verdict: nullable(attempt.verdict),
  }),
  anchor: record({
    at: nullable(instant),
    index: nullable(count),
    log: uri,
    note: digest,
    receipt: digest,
    size: count,
    trust: nullable(digest),
    type: word('rekor', 'timestamp', 'witness'),
  }),
  key,
  erasure: record({
    basis: words,
    by: nullable(pseudonym),
    humans: list(pseudonym),
    what: list(word('identity', 'tokens', 'openings')),
  }),
  hold: record({
    basis: words,
    by: nullable(pseudonym),
    end: nullable(seq),
    humans: list(pseudonym),
    id: words,
    op: word('place', 'release'),
    start: nullable(seq),
  }),
  report: record({
    by: pseudonym,
    digest,
    humans: list(pseudonym),
    purpose: words,
    recipient: nullable(commitment),
  }),
  prune: record({ end: seq, policy: words, root: digest, start: seq }),
  correction: record({ about: code, by: nullable(pseudonym), of: seq, text: commitment }),
};
