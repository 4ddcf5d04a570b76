/** docs/formats/receipt-v1.md, held against the code and, where there are any, ordinary tools. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { RECEIPT_FAULTS } from '../../src/evidence/receipt-claim.ts';
import { rekorBodyV1, rekorBodyV2 } from '../../src/evidence/rekor-body.ts';
import { parseTimestamp } from '../../src/evidence/timestamp-token.ts';
import { opensslTsa } from './openssl-tsa.ts';
import { anchorKey, b64, honestV1, honestV2, noteOf, submissionOf } from './receipt-world.ts';

const document = readFileSync('docs/formats/receipt-v1.md', 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'crumb-receipt-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The shell block that has these words, run where these files lie. */
function runBlock(words: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const blocks = [...document.matchAll(/```sh\n([^]*?)```/g)].map(([, block = '']) => block);
  const block = blocks.find((one) => one.includes(words));
  if (block === undefined) throw new Error(`no block with ${words}`);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return execFileSync('bash', ['-euo', 'pipefail', '-c', block], { cwd: folder }).toString();
}

/** Every member of a value, by its path; of a list, those of its first item. */
function pathsOf(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [at] : pathsOf(value[0], at);
  if (typeof value !== 'object' || value === null) return [at];
  return Object.entries(value).flatMap(([name, member]) =>
    pathsOf(member, at === '' ? name : `${at}.${name}`),
  );
}

describe('docs/formats/receipt-v1.md', () => {
  it('explains every fault, and no others', () => {
    const [, after = ''] = document.split('\n## Faults\n');
    const [table = ''] = after.split('\n## ');
    const listed = [...table.matchAll(/^\| `([a-z_]+)`/gm)].map(([, fault]) => fault);
    expect(listed).toEqual([...RECEIPT_FAULTS]);
  });

  it('names every member of a receipt', async () => {
    for (const { claim } of [await honestV1(), await honestV2()]) {
      const words = pathsOf(JSON.parse(claim.receipt)).flatMap((path) => path.split('.'));
      for (const word of new Set(words)) expect(document).toMatch(new RegExp(`\\b${word}\\b`));
    }
  });

  it('writes what a log stores as the code does', async () => {
    const { digest, signature, spki } = submissionOf(await noteOf());
    const pem = String(anchorKey.publicKey.export({ type: 'spki', format: 'pem' }));
    const values: Readonly<Record<string, string>> = {
      'hex(digest)': Buffer.from(digest).toString('hex'),
      'base64(digest)': b64(digest),
      'base64(signature)': b64(signature),
      'base64(pem)': b64(Buffer.from(pem)),
      'base64(key)': b64(spki),
    };
    const written = [...document.matchAll(/```text\n(\{"apiVersion"[^]*?)```/g)].map(
      ([, block = '']) =>
        block
          .replaceAll(/\n ?/g, '')
          .replaceAll(/(?:hex|base64)\(\w+\)/g, (name) => `"${values[name] ?? 'unknown'}"`),
    );
    const logged = { digest, signature, spki };
    expect(written).toEqual([
      Buffer.from(rekorBodyV1(logged)).toString(),
      Buffer.from(rekorBodyV2(logged)).toString(),
    ]);
  });

  it('has commands that check a receipt of a log', async () => {
    const { claim } = await honestV1();
    const files = { note: claim.note, receipt: claim.receipt, 'anchor.der': anchorKey.spki };
    expect(runBlock('openssl dgst', files)).toContain('Verified OK');
    expect(runBlock('cmp -', files)).toBe('');
    const other = await honestV1();
    const changed = { ...files, 'anchor.der': other.log.trusted.spki };
    expect(() => runBlock('cmp -', changed)).toThrow();
  });

  it('has commands that check a timestamp', async () => {
    const tsa = opensslTsa();
    try {
      const note = await noteOf();
      const token = parseTimestamp(await tsa.stamp(note))?.bytes ?? new Uint8Array();
      const pem = (name: string): Buffer => readFileSync(join(tsa.folder, name));
      const files = {
        note,
        receipt: b64(token),
        'tsa.pem': pem('tsa.pem'),
        'ca.pem': pem('ca.pem'),
      };
      expect(runBlock('openssl ts', files)).toContain('Verification: OK');
    } finally {
      tsa.close();
    }
  });
});
