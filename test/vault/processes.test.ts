import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ALICE, CLAIMS, newOpening, newVaultPath, vaultAt } from './vault-files.ts';

const SCRIPT = fileURLToPath(new URL('./writer-process.ts', import.meta.url));

/** Runs the writer; `killAfter` lines it is killed the hard way, in whatever it is doing then. */
async function runWriter(
  args: readonly string[],
  killAfter = Infinity,
  delayMs = 0,
): Promise<string[]> {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === killAfter) setTimeout(() => child.kill('SIGKILL'), delayMs);
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

it('has erased a person wholly or not at all, whenever the process was killed', async () => {
  for (const delayMs of [0, 8]) {
    const path = newVaultPath();
    const vault = await vaultAt(path);
    const { key, claims } = await vault.subject(ALICE, CLAIMS);
    const openings = Array.from({ length: 1500 }, (_, n) => newOpening({ n }, key));
    await vault.keep({ openings });
    await vault.close();

    const args = [path, 'erase', Buffer.from(key).toString('hex')];
    await runWriter(args, 1, delayMs);

    const again = await vaultAt(path);
    const commitments = [claims, ...openings.map(({ commitment }) => commitment)];
    const left = (await again.findOpenings(commitments)).length;
    const known = (await again.findPerson(key)) !== undefined;
    expect([known, left]).toEqual(known ? [true, 1501] : [false, 0]);
  }
});
