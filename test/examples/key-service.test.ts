import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { vaultTransitSigner } from '../../examples/key-service.ts';
import { createSigner } from '../../src/ledger/signer.ts';
import { auditRows, openAt, outcome, rowsAt, temporaryPlace } from '../ledger/fixtures.ts';

const TOKEN = 'hvs.example';
const shown = generateKeyPairSync('ed25519').privateKey;

interface Service {
  readonly url: string;
  /** Method, path and body of each request. */
  readonly asked: string[];
  /** Which key signs, and as which version. */
  signs: { key: KeyObject; version: number };
}

/** Stands in for the two requests of Vault's transit engine. */
async function startService(type = 'ed25519'): Promise<Service> {
  const asked: string[] = [];
  const answer = async (request: IncomingMessage): Promise<object | undefined> => {
    const body = await text(request);
    asked.push(`${request.method} ${request.url} ${body}`);
    if (request.headers['x-vault-token'] !== TOKEN) return undefined;
    if (request.method === 'GET') {
      const publicKey = Buffer.from(createSigner(shown).publicKey).toString('base64');
      return { type, latest_version: 3, keys: { 3: { public_key: publicKey } } };
    }
    const { input }: { input: string } = JSON.parse(body);
    const signature = sign(null, Buffer.from(input, 'base64'), service.signs.key);
    return { signature: `vault:v${service.signs.version}:${signature.toString('base64')}` };
  };
  const server = createServer((request, response) => {
    void answer(request).then((data) => {
      response.writeHead(data === undefined ? 403 : 200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(data === undefined ? { errors: ['denied'] } : { data }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const service = { url: `http://127.0.0.1:${port}`, asked, signs: { key: shown, version: 3 } };
  return service;
}

it('lets a ledger be signed by a key that only a service has', async () => {
  const service = await startService();
  const signingKey = await vaultTransitSigner({ url: service.url, key: 'crumb', token: TOKEN });
  const place = temporaryPlace();
  const ledger = await openAt(place, { signingKey });
  await ledger.append([outcome(1)]);
  await ledger.close();
  await auditRows(await rowsAt(place), ledger.vkey);
  expect(service.asked[0]).toBe('GET /v1/transit/keys/crumb ');
  const signed = service.asked.slice(1);
  expect(signed.length).toBeGreaterThan(1);
  for (const request of signed) {
    expect(request).toMatch(
      /^POST \/v1\/transit\/sign\/crumb \{"input":"[\w+/=]+","key_version":3\}$/,
    );
  }
});

it('appends nothing that the service signed with another key', async () => {
  const service = await startService();
  const signingKey = await vaultTransitSigner({ url: service.url, key: 'crumb', token: TOKEN });
  const place = temporaryPlace();
  const ledger = await openAt(place, { signingKey });
  service.signs = { key: generateKeyPairSync('ed25519').privateKey, version: 3 };
  await expect(ledger.append([outcome(1)])).rejects.toMatchObject({ code: 'ledger_unwritable' });
  expect(await rowsAt(place)).toHaveLength(1);
});

it('takes no signature of another version of the key', async () => {
  const service = await startService();
  const signer = await vaultTransitSigner({ url: service.url, key: 'crumb', token: TOKEN });
  service.signs = { key: shown, version: 4 };
  await expect(signer.sign(new Uint8Array(8))).rejects.toThrow(Error);
});

it('makes no signer of a key of another type, nor without the right to ask', async () => {
  const rsa = await startService('rsa-2048');
  await expect(vaultTransitSigner({ url: rsa.url, key: 'crumb', token: TOKEN })).rejects.toThrow(
    Error,
  );
  const { url } = await startService();
  await expect(vaultTransitSigner({ url, key: 'crumb', token: 'other' })).rejects.toThrow(Error);
});
