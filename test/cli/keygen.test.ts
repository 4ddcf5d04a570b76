import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseVkey } from '../../src/evidence/note.ts';
import { runMain } from '../support/run-cli.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'crumb-keygen-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const modeOf = (path: string): number => statSync(path).mode & 0o777;

async function keygen(...words: string[]): Promise<{
  file: string;
  vkey: string | null;
  jwk: JWK | null;
}> {
  const { code, stdout, stderr } = await runMain(['keygen', ...words, '--json'], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Awaited<ReturnType<typeof keygen>>; // the documented shape
}

describe('crumb keygen', () => {
  it('makes an Ed25519 signing key and the vkey of its ledger', async () => {
    const { file, vkey } = await keygen('signing', '--origin', 'acme.example/crumb');
    const key = createPrivateKey(readFileSync(join(cwd, file)));
    expect(key.asymmetricKeyType).toBe('ed25519');
    const raw = createPublicKey(key).export({ format: 'jwk' }).x;
    const parsed = parseVkey(vkey ?? '');
    expect(parsed?.name).toBe('acme.example/crumb');
    expect(Buffer.from(parsed?.publicKey ?? []).toString('base64url')).toBe(raw);
  });

  it('makes a P-256 agent key whose public half can be registered', async () => {
    const { file, jwk } = await keygen('agent', '--out', 'keys/planner.pem');
    expect(file).toBe(join('keys', 'planner.pem'));
    const key = createPrivateKey(readFileSync(join(cwd, file)));
    expect(jwk).toMatchObject(createPublicKey(key).export({ format: 'jwk' }));
    expect(jwk).toMatchObject({ kid: await calculateJwkThumbprint(jwk ?? {}), alg: 'ES256' });
    expect(jwk).not.toHaveProperty('d');
  });

  it.each(['vault', 'approval'])('makes 32 random bytes for %s', async (kind) => {
    const [first, second] = [await keygen(kind), await keygen(kind, '-o', 'other.key')];
    const read = (file: string): Buffer =>
      Buffer.from(readFileSync(join(cwd, file), 'utf8').trim(), 'base64url');
    expect(read(first.file)).toHaveLength(32);
    expect(read(first.file)).not.toEqual(read(second.file));
  });

  it('writes keys and their new folder for their owner alone', async () => {
    const { file } = await keygen('signing', '-o', 'keys/a.pem');
    expect([modeOf(join(cwd, file)), modeOf(join(cwd, 'keys'))]).toEqual([0o600, 0o700]);
  });

  it('prints no secret', async () => {
    const { stdout } = await runMain(['keygen', 'signing'], { cwd });
    const secret = createPrivateKey(readFileSync(join(cwd, 'crumb-signing.pem'))).export({
      format: 'jwk',
    });
    expect(stdout).not.toContain(secret.d);
    expect(stdout).not.toContain('PRIVATE');
  });

  it('overwrites nothing, nor what a link points to', async () => {
    await keygen('signing');
    const before = readFileSync(join(cwd, 'crumb-signing.pem'));
    symlinkSync(join(cwd, 'elsewhere.pem'), join(cwd, 'link.pem'));
    const [again, linked] = [
      await runMain(['keygen', 'signing', '--json'], { cwd }),
      await runMain(['keygen', 'signing', '-o', 'link.pem', '--json'], { cwd }),
    ];
    for (const { code, stdout } of [again, linked]) {
      expect(code).toBe(2);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'file_exists' } });
    }
    expect(readFileSync(join(cwd, 'crumb-signing.pem'))).toEqual(before);
    expect(existsSync(join(cwd, 'elsewhere.pem'))).toBe(false);
  });

  it.each([
    ['an unknown kind', ['sining'], 'usage_invalid'],
    ['an origin where none belongs', ['vault', '--origin', 'a'], 'usage_invalid'],
    ['a name that no ledger may have', ['signing', '--origin', 'a b'], 'key_invalid'],
    ['a folder that cannot be made', ['vault', '-o', '/dev/null/x.key'], 'file_unwritable'],
  ])('refuses %s', async (_what, words, code) => {
    const result = await runMain(['keygen', ...words, '--json'], { cwd });
    expect(result.code).toBe(2);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code } });
  });
});
