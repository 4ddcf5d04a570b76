/** docs/verify.md, done as it says: the script there must come to the same answer as the verifier. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { add, commit, linesOf, sealLines, vkeyOfBuilder } from './build-ledger.ts';
import { attempt, logIn, NOT_42 } from './story.ts';

const document = readFileSync(new URL('../../docs/verify.md', import.meta.url), 'utf8');
const blocks = [...document.matchAll(/```(?:ba)?sh\n([\s\S]*?)```/g)].map(([, text = '']) => text);
const script = blocks.find((text) => text.includes('usage: check.sh')) ?? '';
const opening = blocks.find((text) => text.includes('-macopt')) ?? '';

const folder = mkdtempSync(join(tmpdir(), 'crumb-tools-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: readonly string[]): { status: number | null; out: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  return { status, out: `${stdout}${stderr}` };
}

/** A machine with Node and nothing else passes too: there the tools are missing, not the proof. */
const present =
  run('jq', ['--version']).status === 0 &&
  run('bash', ['-c', '[ "${BASH_VERSINFO[0]}" -ge 5 ]']).status === 0 &&
  run('openssl', ['version']).out.startsWith('OpenSSL 3');

describe.skipIf(!present)('a bundle, with ordinary tools', async () => {
  const scene = await logIn();
  const { builder } = scene;
  add(builder, 'intent', await attempt(scene));
  add(builder, 'intent', await attempt(scene, { ...NOT_42, args: { id: 43 } }));
  await commit(builder);
  const vkey = vkeyOfBuilder(builder);
  const lines = await linesOf(builder);
  writeFileSync(join(folder, 'check.sh'), script);
  const check = (name: string, of: readonly string[]): ReturnType<typeof run> => {
    writeFileSync(join(folder, name), `${of.join('\n')}\n`);
    return run('bash', ['check.sh', name, vkey]);
  };

  it('verifies', () => {
    const { status, out } = check('bundle.ndjson', lines);
    expect(out).toContain('crumbs 5');
    expect(out).toContain('Verified Successfully');
    expect(status).toBe(0);
  });

  it('does not verify once a crumb was changed', () => {
    const changed = lines.map((line) =>
      line.replace('\\"op\\":\\"open\\"', '\\"op\\":\\"renew\\"'),
    );
    const { status, out } = check('changed.ndjson', sealLines(changed));
    expect(out).toMatch(/crumb \d+ does not follow/);
    expect(status).not.toBe(0);
  });

  it('does not verify once the last crumb was changed', () => {
    const last = lines.findLastIndex((line) => line.startsWith('{"raw"'));
    const changed = lines.with(last, (lines[last] ?? '').replace('call_7Qk', 'call_8Qk'));
    const { status, out } = check('last.ndjson', sealLines(changed));
    expect(out).toContain('Verification Failure');
    expect(status).not.toBe(0);
  });

  it('opens the commitment to arguments', () => {
    writeFileSync(join(folder, 'bundle.ndjson'), `${lines.join('\n')}\n`);
    const { out } = run('bash', ['-c', opening]);
    const [, c] = /"c":"h1\.([\w-]{43})","label":"args"/.exec(lines.join('\n')) ?? [];
    expect(out.trim().replace(/=$/, '')).toBe(c);
  });
});

it('are the commands that the document shows', () => {
  expect(script).toContain('openssl pkeyutl -verify');
  expect(opening).toContain('crumb/1 args');
});
