import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { newVaultPath, vaultAt } from './vault-files.ts';

const SCRIPT = fileURLToPath(new URL('./writer-process.ts', import.meta.url));

/** Runs the writer; `killAfter` lines it is killed the hard way, in whatever it is doing then. */
async function runWriter(args: readonly string[], killAfter = Infinity): Promise<string[]> {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === killAfter) child.kill('SIGKILL');
  }
  await exited;
  return lines;
}

it('makes one subject of the same person in two processes', async () => {
  const path = newVaultPath();
  const [one, two] = await Promise.all([
    runWriter([path, 'subject']),
    runWriter([path, 'subject']),
  ]);
  expect(one).toHaveLength(20);
  expect(two).toEqual(one);
});

it('has every acknowledged opening after the process was killed', async () => {
  const path = newVaultPath();
  const acknowledged = await runWriter([path, 'keep'], 50);
  const vault = await vaultAt(path);
  for (const commitment of acknowledged) {
    expect(await vault.findOpening(commitment)).toMatchObject({ label: 'args' });
  }
});
