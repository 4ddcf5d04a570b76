/**
 * Claim: years later, when the provider has long replaced its keys, a recorded delegation still verifies
 * under the keys that were archived with it, and one that says something else than its crumb is found.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isKnownKind, parseEntry } from '../../src/evidence/entry.ts';
import type { Entry } from '../../src/evidence/kinds.ts';
import type { Draft } from '../../src/ledger/ledger.ts';
import { openLibsqlLedger } from '../../src/store/libsql/libsql-ledger.ts';
import { openLibsqlReader } from '../../src/store/libsql/libsql-reader.ts';
import { openVault } from '../../src/vault/open-vault.ts';
import type { Vault } from '../../src/vault/vault.ts';
import type { BundleLine } from '../../src/verify/bundle-lines.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { openWorld, ORIGIN, READ_42, type CrumbWorld } from '../world.ts';
import { makeKey } from './test-issuer.ts';

let folder: string;
let world: CrumbWorld;
let vault: Vault;
let lines: readonly BundleLine[];

/** Alice's planner hands over to the researcher, who reads record 42. Then the provider's keys go. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crumb-archived-'));
  const place = { url: `file:${join(folder, 'vault.db')}`, key: new Uint8Array(randomBytes(32)) };
  const crumb = { mode: 'enforce' as const, vault: place };
  world = await openWorld({ crumb });
  const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
  await planner.delegate('researcher', { tool: 'researcher', args: {} }, async (researcher) =>
    researcher.invoke({ tool: 'readRecord', args: { id: 42 } }, async () => {
      await researcher.fetch(`${world.records.url}/records/42`);
    }),
  );
  await world.crumb.flush();
  vault = await openVault(place);
  await world.idp.idp.publish();
  await world.idp.idp.rotate();
  world.idp.idp.retire();
  lines = await linesOf(world.ledgerFile);
});
afterAll(async () => {
  await vault.close();
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

function read(bytes: Uint8Array): Entry {
  const entry = parseEntry(bytes);
  if (!isKnownKind(entry)) throw new TypeError(`an entry of unknown kind ${entry.kind}`);
  return entry;
}

/** What an auditor is handed: entries, heads, key sets and tokens. */
async function linesOf(file: string): Promise<readonly BundleLine[]> {
  const reader = await openLibsqlReader({ url: `file:${file}` });
  const { size } = await reader.end();
  const found: BundleLine[] = [
    {
      t: 'bundle',
      v: 'crumb-bundle/1',
      origin: ORIGIN,
      mode: 'range',
      start: 0,
      size,
      root: null,
      vault: true,
      made: null,
      maker: null,
      query: null,
    },
  ];
  for await (const { seq, bytes, head } of reader.readRows(0)) {
    if (bytes === null) throw new TypeError('nothing was pruned');
    found.push(...(await evidenceFor(read(bytes))), { t: 'entry', bytes });
    if (head !== null) found.push({ t: 'head', size: seq + 1, signature: head });
  }
  await reader.close();
  return found;
}

async function evidenceFor({ seq, kind, body }: Entry): Promise<readonly BundleLine[]> {
  if (kind === 'key' && typeof body.key !== 'string') {
    const kept = await vault.findKeySet(Buffer.from(body.key.jwks, 'base64url'));
    if (kept === undefined) throw new TypeError('a key set is missing');
    return [{ t: 'jwks', iss: kept.iss, raw: new TextDecoder().decode(kept.raw) }];
  }
  if (kind !== 'session' && kind !== 'intent' && kind !== 'hop') return [];
  const c = typeof body.token === 'string' ? body.token : body.token?.c;
  const kept = c === undefined ? undefined : await vault.findToken(c);
  if (c === undefined || kept === undefined) return [];
  return [{ t: 'opening', seq, c, label: 'token', r: kept.salt, value: kept.jwt }];
}

const verify = async (given = lines, issuerKeys?: unknown): Promise<VerifyReport> =>
  verifyBundle(given, {
    key: world.crumb.ledger.vkey,
    origin: ORIGIN,
    ...(issuerKeys === undefined ? {} : { issuerKeys: { [world.idp.issuer]: issuerKeys } }),
  });
const currentKeys = async (): Promise<unknown> =>
  (await fetch(`${world.idp.issuer}/jwks`)).json() as Promise<unknown>;

it('verifies every token of the call after the provider withdrew the keys', async () => {
  const report = await verify();
  expect(report.findings).toEqual([]);
  // The login, both delegation tokens, and the hop between them.
  expect(report.stats.tokens).toBeGreaterThanOrEqual(3);
  expect(report.warnings.map(({ code }) => code)).toContain('issuer_keys_self_archived');
});

it('does so although the provider’s present keys know nothing of them', async () => {
  const present = await currentKeys();
  const archived = lines.filter((line) => line.t === 'jwks');
  expect(archived).toHaveLength(1);
  expect(JSON.parse(archived[0]?.raw ?? '')).not.toEqual(present);
  expect((await verify(lines, present)).findings).toEqual([]);
});

it('needs no trust in the archive where the reader kept the keys', async () => {
  const archived = lines.find((line) => line.t === 'jwks');
  const report = await verify(lines, JSON.parse(archived?.raw ?? ''));
  expect(report.findings).toEqual([]);
  expect(report.warnings.map(({ code }) => code)).not.toContain('issuer_keys_self_archived');
});

it('finds tokens that the reader’s own keys did not sign', async () => {
  const archived = lines.find((line) => line.t === 'jwks');
  const [kept] = (JSON.parse(archived?.raw ?? '') as { keys: { kid: string }[] }).keys; // a key set
  const forged = await makeKey('RS256', kept?.kid);
  const report = await verify(lines, { keys: [forged.jwk] });
  expect(report.sound).toBe(false);
  expect(report.findings).toContainEqual(
    expect.objectContaining({ code: 'chain_mismatch', what: 'signature' }),
  );
});

it('finds a key set put in the place of the archived one', async () => {
  const forged = await makeKey('RS256');
  const report = await verify(
    lines.map((line) =>
      line.t === 'jwks' ? { ...line, raw: JSON.stringify({ keys: [forged.jwk] }) } : line,
    ),
  );
  expect(report.sound).toBe(false);
});

it('finds a token put in the place of another, though it is real', async () => {
  const openings = lines.filter((line) => line.t === 'opening');
  const [first, second] = openings;
  expect(first?.value).not.toBe(second?.value);
  const report = await verify(
    lines.map((line) => (line === first ? { ...line, value: second?.value ?? null } : line)),
  );
  expect(report.findings).toContainEqual(
    expect.objectContaining({ code: 'opening_mismatch', label: 'token' }),
  );
});

/** The same history, signed anew by an operator who changed a crumb on the way. */
async function rewritten(change: (entry: Entry) => Entry): Promise<VerifyReport> {
  const file = join(folder, `${crypto.randomUUID()}.db`);
  const { privateKey } = generateKeyPairSync('ed25519');
  const ledger = await openLibsqlLedger({
    url: `file:${file}`,
    origin: ORIGIN,
    signingKey: privateKey,
  });
  for (const entry of await world.readCrumbs()) {
    const { kind, body } = change(entry);
    // An entry's kind and body belong together, and a body is a draft without open references.
    if (kind !== 'genesis') await ledger.append([{ kind, body } as Draft]);
  }
  const { vkey } = ledger;
  await ledger.close();
  return verifyBundle(await linesOf(file), { key: vkey, origin: ORIGIN });
}

it('finds no fault with the same history signed anew: only an anchor could', async () => {
  const report = await rewritten((entry) => entry);
  expect(report.findings).toEqual([]);
  expect(report.notEstablished.map(({ code }) => code)).toContain('tail_uncovered');
});

it.each([
  ['another human', 'human'],
  ['another agent', 'chain'],
  ['another resource', 'audience'],
  ['another scope', 'scope'],
] as const)(
  'finds a crumb of %s than the token’s, though the operator signed it',
  async (_what, part) => {
    const stranger = { iss: world.idp.issuer, sub: 'stranger' };
    const report = await rewritten((entry) => {
      if (entry.kind !== 'intent' || entry.body.call.tool !== 'readRecord') return entry;
      const { body } = entry;
      const token = body.token === null ? null : { ...body.token };
      const changed = {
        human: { ...body, human: `${body.human?.slice(0, -2)}AA` },
        chain: { ...body, chain: [stranger, ...body.chain.slice(1)] },
        audience: { ...body, token: token && { ...token, aud: 'https://mail.example' } },
        scope: { ...body, token: token && { ...token, scope: ['read_record', 'export_record'] } },
      };
      return { ...entry, body: changed[part] };
    });
    expect(report.findings).toContainEqual(
      part === 'human'
        ? expect.objectContaining({ code: 'reference_broken', member: 'human' })
        : expect.objectContaining({ code: 'chain_mismatch', what: part }),
    );
  },
);
