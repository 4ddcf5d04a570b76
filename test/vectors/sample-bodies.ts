/** One body of each kind, with nothing empty, so that every member and every shape occurs. */
import { createHash } from 'node:crypto';
import type { Bodies, CallRecord, DirectiveRecord, TokenRecord } from '../../src/evidence/kinds.ts';
import { ORIGIN, VKEY } from './worked-example.ts';

/** 32 bytes that look like any, told apart by a name. */
export function digest(name: string): string {
  return createHash('sha256').update(name).digest('base64url');
}

export const commitment = (name: string): string => `h1.${digest(name)}`;

const ISS = 'https://idp.example';
const human = digest('human');
const by = digest('auditor');
const planner = { iss: ISS, sub: 'planner' };
const researcher = { iss: ISS, sub: 'researcher' };

export const CALL: CallRecord = {
  id: 'call_7Qk',
  tool: 'readRecord',
  resource: 'https://records.example',
  action: 'read_record',
  args: commitment('args'),
  origin: 'model',
};

export const TOKEN: TokenRecord = {
  iss: ISS,
  profile: 'dev',
  nesting: 'subject',
  kid: 'k1',
  jwks: 1,
  aud: 'https://records.example',
  scope: ['read_record'],
  exp: '2026-11-22T10:20:30.000Z',
  txn: 'txn-1',
  c: commitment('token'),
};

export const DIRECTIVE: DirectiveRecord = {
  source: 'authorization_details',
  actions: ['read_record'],
  resources: ['https://records.example'],
  args: commitment('directive'),
  agents: ['planner', 'researcher'],
  expires: '2026-11-22T11:00:00.000Z',
  maxUses: 1,
};

const attempt = {
  session: 2,
  human,
  hop: 5,
  chain: [planner, researcher],
  call: CALL,
  mode: 'enforce',
  verdict: 'unauthorized',
  reason: { code: 'argument', argument: 'id' },
  directive: 0,
  approval: 3,
  decision: { by: 'opa', id: 'decision-9', effect: 'allow' },
} as const;

export const BODIES: Bodies = {
  genesis: {
    origin: ORIGIN,
    salt: digest('salt'),
    key: VKEY,
    anchorKey: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE',
    recoveryKey: VKEY,
    policy: {
      checkpoint: { entries: 1024, seconds: 60 },
      anchor: {
        entries: 5000,
        seconds: 900,
        heartbeat: 86400,
        maxGap: 3600,
        require: ['rekor', 'witness'],
      },
    },
    maker: { name: 'crumb-ai', version: '0.1.0' },
    continues: { origin: 'acme.example/old', size: 7, root: digest('root') },
  },
  session: {
    op: 'renew',
    session: 2,
    human,
    iss: ISS,
    loginAt: '2026-11-22T10:00:00.000Z',
    acr: 'urn:example:loa:2',
    amr: ['pwd', 'otp'],
    expires: '2026-11-22T11:00:00.000Z',
    chain: [planner],
    claims: commitment('claims'),
    token: commitment('session token'),
    jwks: 1,
    directives: [DIRECTIVE],
  },
  approval: {
    session: 2,
    human: by,
    call: CALL,
    method: 'ai-sdk',
    shown: commitment('shown'),
    expires: '2026-11-22T10:25:30.000Z',
  },
  hop: {
    session: 2,
    intent: 4,
    parent: 3,
    chain: [planner, researcher],
    token: TOKEN,
    actorToken: commitment('actor token'),
  },
  intent: { ...attempt, token: TOKEN, exchange: 'cached' },
  outcome: {
    intent: 3,
    status: 'error',
    result: commitment('result'),
    error: 'resource_denied',
    ms: 264,
  },
  refusal: {
    ...attempt,
    code: 'chain_mismatch',
    iss: ISS,
    profile: 'zitadel',
    expected: [planner, researcher],
    got: [researcher],
  },
  observed: {
    source: 'provider',
    session: 2,
    human,
    chain: [planner],
    call: CALL,
    verdict: 'authorized',
    result: commitment('result'),
    purpose: 'incident 12',
    by,
  },
  anchor: {
    type: 'rekor',
    size: 4,
    note: digest('note'),
    receipt: digest('receipt'),
    log: 'rekor.sigstore.dev',
    index: 1_234_567,
    at: '2026-11-22T10:16:00.000Z',
    trust: digest('trusted root'),
  },
  key: {
    role: 'ledger',
    op: 'add',
    key: VKEY,
    proof: Buffer.alloc(64, 7).toString('base64url'),
    since: '2026-11-22T10:00:00.000Z',
    reason: 'rotation',
  },
  erasure: {
    humans: [human],
    what: ['identity', 'tokens', 'openings'],
    basis: 'request of the person',
    by,
  },
  hold: {
    op: 'place',
    id: 'case-1',
    humans: [human],
    start: 0,
    end: 100,
    basis: 'litigation',
    by,
  },
  report: {
    digest: digest('report'),
    humans: [human],
    purpose: 'incident 12',
    by,
    recipient: commitment('recipient'),
  },
  prune: { start: 3, end: 90, root: digest('pruned'), policy: 'six years' },
  correction: { of: 3, about: 'verdict', text: commitment('text'), by },
};
