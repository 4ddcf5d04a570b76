/**
 * The complete example of docs/formats/entry-v1.md: every input of a ledger of five entries. The bytes
 * that come out stand in that document, and must never change.
 */
import { slowCommitment, slowJson, slowLedger, slowPseudonym, slowSha256 } from './slow-model.ts';
import { ORIGIN, VKEY } from './worked-example.ts';

const ISS = 'https://idp.example';
const RECORDS = 'https://records.example';

/** 32 times the same byte. */
const bytes32 = (byte: number): Buffer => Buffer.alloc(32, byte);
const commitJson = (salt: number, label: string, value: unknown): string =>
  slowCommitment(bytes32(salt), label, Buffer.from(slowJson(value)));
const commitText = (salt: number, label: string, text: string): string =>
  slowCommitment(bytes32(salt), label, Buffer.from(text));

const human = slowPseudonym(bytes32(0x33), ORIGIN, '0');

const genesis = {
  origin: ORIGIN,
  salt: bytes32(0x55).toString('base64url'),
  key: VKEY,
  anchorKey: null,
  recoveryKey: null,
  policy: { checkpoint: { entries: 1024, seconds: 60 }, anchor: null },
  maker: { name: 'crumb-ai', version: '0.1.0' },
  continues: null,
};

const key = {
  role: 'issuer',
  op: 'add',
  key: { iss: ISS, jwks: slowSha256('{"keys":[]}').toString('base64url') },
  proof: null,
  since: null,
  reason: null,
};

const session = {
  op: 'open',
  session: null,
  human,
  iss: ISS,
  loginAt: '2026-11-22T10:15:00.000Z',
  acr: null,
  amr: ['pwd'],
  expires: '2026-11-22T11:15:00.000Z',
  chain: [],
  claims: commitJson(0x66, 'claims', { name: 'Alice', sub: 'alice' }),
  token: commitText(0x77, 'token', 'session.jwt'),
  jwks: 1,
  directives: [
    {
      source: 'authorization_details',
      actions: ['read_record'],
      resources: [RECORDS],
      args: commitJson(0x88, 'directive', { arguments: { id: { const: '42' } }, optional: [] }),
      agents: null,
      expires: null,
      maxUses: 1,
    },
  ],
};

const intent = {
  session: 2,
  human,
  hop: null,
  chain: [{ iss: ISS, sub: 'planner' }],
  call: {
    id: 'call_7Qk',
    tool: 'readRecord',
    resource: RECORDS,
    action: 'read_record',
    args: commitJson(0x11, 'args', { id: '42' }),
    origin: 'model',
  },
  mode: 'enforce',
  verdict: 'authorized',
  reason: null,
  directive: 0,
  approval: null,
  decision: null,
  token: {
    iss: ISS,
    profile: 'dev',
    nesting: 'subject',
    kid: 'k1',
    jwks: 1,
    aud: RECORDS,
    scope: ['read_record'],
    exp: '2026-11-22T10:20:30.000Z',
    txn: null,
    c: commitText(0x44, 'token', 'delegation.jwt'),
  },
  exchange: 'fresh',
};

const outcome = {
  intent: 3,
  status: 'ok',
  result: commitJson(0x22, 'result', { body: 'hello', id: '42' }),
  error: null,
  ms: 264,
};

/** Three commits: genesis alone; key set, session and its first intent; the outcome. */
export const COMMITS = [
  [{ kind: 'genesis', body: genesis, time: '2026-11-22T10:14:00.000Z' }],
  [
    { kind: 'key', body: key, time: '2026-11-22T10:15:30.120Z' },
    { kind: 'session', body: session, time: '2026-11-22T10:15:30.120Z' },
    { kind: 'intent', body: intent, time: '2026-11-22T10:15:30.123Z' },
  ],
  [{ kind: 'outcome', body: outcome, time: '2026-11-22T10:15:30.391Z' }],
] as const;

/** Built by the slow model, so that the document and src/ are held to one more opinion. */
export const COMPLETE = slowLedger(ORIGIN, bytes32(0x01), COMMITS);
