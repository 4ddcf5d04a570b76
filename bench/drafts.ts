/**
 * Crumbs as a tool call leaves them, for ledgers that are made without a gateway.
 *
 * @module
 */
import type { KeyObject } from 'node:crypto';
import type { IntentBody } from '../src/evidence/kinds.ts';
import type { Draft, Ledger } from '../src/ledger/ledger.ts';
import { openLibsqlLedger } from '../src/store/libsql/libsql-ledger.ts';

export const ORIGIN = 'bench.example/crumb';
const ISSUER = 'https://idp.example';
const RECORDS = 'https://records.example';
const HASH = 'qwpIWjJCZsYEjFRUjEdcSl4Jf_9GvcOx6JNdIKS47_M';
const EXPIRES = '2099-01-01T00:00:00.000Z';

const INTENT_BODY: IntentBody = {
  approval: null,
  call: {
    action: 'read_record',
    args: `h1.${HASH}`,
    id: 'call_7Qk',
    origin: 'model',
    resource: RECORDS,
    tool: 'readRecord',
  },
  chain: [{ iss: ISSUER, sub: 'planner' }],
  decision: null,
  directive: 0,
  exchange: 'cached',
  hop: null,
  human: HASH,
  mode: 'enforce',
  reason: null,
  session: 2,
  token: {
    aud: RECORDS,
    c: `h1.${HASH}`,
    exp: EXPIRES,
    iss: ISSUER,
    jwks: 1,
    kid: 'k1',
    nesting: 'subject',
    profile: 'dev',
    scope: ['read_record'],
    txn: null,
  },
  verdict: 'authorized',
};

/** Refers to entries 1 and 2, which {@link PRELUDE} makes. */
export const INTENT_DRAFT: Draft = { kind: 'intent', body: INTENT_BODY };

export function outcomeOf(intent: number): Draft {
  const result = `h1.${HASH}`;
  return { kind: 'outcome', body: { intent, status: 'ok', result, error: null, ms: 3 } };
}

/** The issuer's keys and the session, for a new ledger: entries 1 and 2. */
export const PRELUDE: readonly Draft[] = [
  {
    kind: 'key',
    body: {
      role: 'issuer',
      op: 'add',
      key: { iss: ISSUER, jwks: HASH },
      proof: null,
      since: null,
      reason: null,
    },
  },
  {
    kind: 'session',
    body: {
      op: 'open',
      session: null,
      human: HASH,
      iss: ISSUER,
      loginAt: null,
      acr: null,
      amr: ['pwd'],
      expires: EXPIRES,
      chain: [],
      claims: `h1.${HASH}`,
      token: `h1.${HASH}`,
      jwks: 1,
      directives: [
        {
          source: 'authorization_details',
          actions: ['read_record'],
          resources: [RECORDS],
          args: null,
          agents: null,
          expires: null,
          maxUses: null,
        },
      ],
    },
  },
];

/** A ledger in a file, with the key that signs it. */
export interface LedgerFile {
  readonly path: string;
  readonly vkey: string;
  readonly signingKey: KeyObject;
}

export async function openLedgerFile(
  file: Pick<LedgerFile, 'path' | 'signingKey'>,
  writer: 'inline' | 'worker' = 'inline',
): Promise<Ledger> {
  const { path, signingKey } = file;
  const ledger = await openLibsqlLedger({
    url: `file:${path}`,
    origin: ORIGIN,
    signingKey,
    writer,
    guard: `${path}.guard`,
  });
  if (ledger.opened.created) await ledger.append(PRELUDE);
  return ledger;
}

/** Makes a ledger of so many crumbs: calls by 64 callers at once, so about 64 crumbs to a commit. */
export async function buildLedger(
  path: string,
  signingKey: KeyObject,
  size: number,
): Promise<LedgerFile> {
  const ledger = await openLedgerFile({ path, signingKey });
  let left = Math.ceil((size - 1 - PRELUDE.length) / 2);
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (left > 0) {
        left -= 1;
        const { entries } = await ledger.append([INTENT_DRAFT]);
        await ledger.append([outcomeOf(entries[0]?.seq ?? 0)]);
      }
    }),
  );
  await ledger.close();
  return { path, vkey: ledger.vkey, signingKey };
}
