/** What a development log keeps: everything it answered for, whatever happens to its process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import type { DevLogEvent } from '../../src/dev/transparency/events.ts';
import { leafHash, rootHash } from '../../src/evidence/merkle.ts';
import { parseCheckpoint } from '../../src/evidence/checkpoint.ts';
import { openNote } from '../../src/evidence/note.ts';
import {
  devLog,
  failureOf,
  logMessage,
  newFolder,
  post,
  requestOf,
  signed,
  textAt,
} from './log-world.ts';

const children: ChildProcess[] = [];

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  fault(name: string): Promise<void>;
  kill(): Promise<void>;
}

async function startProcess(folder: string): Promise<Started> {
  const file = resolve(import.meta.dirname, 'log-process.ts');
  const child = spawn(process.execPath, [file, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const next = async (): Promise<string> => String((await once(lines, 'line'))[0]);
  const url = await next();
  return {
    child,
    url,
    async fault(name) {
      child.stdin.write(`${name}\n`);
      await next();
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** A folder with three entries, its log closed. */
async function folderOfThree(): Promise<string> {
  const folder = newFolder();
  const log = await devLog({ folder });
  for (const text of ['one', 'two', 'three']) await logMessage(log.url, text);
  await log.close();
  return folder;
}

describe('after a restart', () => {
  it('a log is the same one, under the same name, with the same entries and trust root', async () => {
    const folder = newFolder();
    const first = await devLog({ folder });
    const entry = await logMessage(first.url, 'one');
    await logMessage(first.url, 'two');
    await first.close();

    const second = await devLog({ folder });
    expect(second.url).not.toBe(first.url);
    expect(second).toMatchObject({
      name: first.name,
      vkey: first.vkey,
      trustRoot: first.trustRoot,
      checkpoint: first.checkpoint,
      size: 2,
    });
    expect(readFileSync(second.trustRootFile, 'utf8')).toBe(first.trustRoot);
    const again = await post(second.url, requestOf(signed('one')));
    // ECDSA is random: what is sent anew is another entry.
    expect(again.status).toBe(201);
    expect((await logMessage(second.url, 'three')).inclusionProof.treeSize).toBe('4');
    const bundle = await textAt(`${second.url}/tile/entries/000.p/1`);
    expect(bundle.slice(2)).toBe(Buffer.from(entry.canonicalizedBody, 'base64').toString());
  });

  it('still knows what it has', async () => {
    const folder = newFolder();
    const body = requestOf(signed('once'));
    const first = await devLog({ folder });
    expect((await post(first.url, body)).status).toBe(201);
    await first.close();
    const second = await devLog({ folder });
    expect((await post(second.url, body)).headers.get('x-log-index')).toBe('0');
  });

  it('keys are readable by their owner alone', async () => {
    const folder = await folderOfThree();
    for (const file of ['log-key.pem', 'timestamp-key.pem']) {
      expect(statSync(join(folder, file)).mode & 0o077).toBe(0);
    }
  });

  it.each([
    ['half an entry', '{"apiVersion":"0.0.2","kind":"hashedrek'],
    ['what is no entry', `${'\0'.repeat(100)}\n`],
    ['a spelling that it never writes', '{"b":1, "a":2}\n'],
  ])('%s at the end of its file was never told of, and goes', async (_what, rest) => {
    const folder = await folderOfThree();
    appendFileSync(join(folder, 'entries.jsonl'), rest);
    const log = await devLog({ folder });
    expect(log.size).toBe(3);
    expect((await logMessage(log.url, 'four')).logIndex).toBe('3');
    await log.close();
    expect((await devLog({ folder })).size).toBe(4);
  });

  it('an entry that was written, and not yet signed, is signed', async () => {
    const folder = await folderOfThree();
    const entries = join(folder, 'entries.jsonl');
    appendFileSync(entries, '{"kind":"written before a crash"}\n');
    const log = await devLog({ folder });
    const leaves = readFileSync(entries, 'utf8').trim().split('\n');
    const { text } = await openNote(await textAt(`${log.url}/checkpoint`), [log.vkey]);
    expect(parseCheckpoint(text)).toMatchObject({
      size: 4,
      root: rootHash(leaves.map((line) => leafHash(Buffer.from(line)))),
    });
  });

  it.each<[string, (folder: string) => void]>([
    ['an entry less than it signed', (folder) => truncateSync(join(folder, 'entries.jsonl'), 600)],
    [
      'another entry than it signed',
      (folder) => {
        const path = join(folder, 'entries.jsonl');
        writeFileSync(path, readFileSync(path, 'utf8').replace('SHA2_256', 'SHA2_257'));
      },
    ],
    ['no checkpoint', (folder) => unlinkSync(join(folder, 'checkpoint'))],
    [
      'a checkpoint that somebody changed',
      (folder) => {
        const path = join(folder, 'checkpoint');
        writeFileSync(path, readFileSync(path, 'utf8').replace('\n3\n', '\n2\n'));
      },
    ],
    ['no key', (folder) => unlinkSync(join(folder, 'log-key.pem'))],
    ['no key for timestamps', (folder) => unlinkSync(join(folder, 'timestamp-key.pem'))],
    [
      'a key that is not its own',
      (folder) => {
        const other = readFileSync(join(folder, 'timestamp-key.pem'));
        writeFileSync(join(folder, 'log-key.pem'), other);
      },
    ],
    ['no trust root', (folder) => unlinkSync(join(folder, 'trusted_root.json'))],
    [
      'a trust root that is none',
      (folder) => writeFileSync(join(folder, 'trusted_root.json'), '{}'),
    ],
  ])('with %s it does not start', async (_what, harm) => {
    const folder = await folderOfThree();
    harm(folder);
    expect(await failureOf(devLog({ folder }))).toMatchObject({ code: 'folder_damaged' });
    // And it has let go of the folder.
    expect(await failureOf(devLog({ folder }))).toMatchObject({ code: 'folder_damaged' });
  });
});

describe('a disk that does not write', () => {
  it('is a 500, and the next head covers what it left', async () => {
    const folder = newFolder();
    const events: DevLogEvent[] = [];
    const log = await devLog({ folder, log: (event) => events.push(event) });
    await logMessage(log.url, 'one');
    const inTheWay = join(folder, 'checkpoint.next'); // where the next head is written first
    mkdirSync(inTheWay);
    const body = requestOf(signed('two'));
    const response = await post(log.url, body);
    expect([response.status, await response.json()]).toMatchObject([500, { code: 13 }]);
    expect(events.at(-1)).toMatchObject({ kind: 'failed' });
    expect(await textAt(`${log.url}/checkpoint`)).toMatch(/\n1\n/);
    rmdirSync(inTheWay);
    // It was written, though not signed: nobody was told, so nobody was told wrong.
    expect((await post(log.url, body)).headers.get('x-log-index')).toBe('1');
    const { inclusionProof } = await logMessage(log.url, 'three');
    expect(inclusionProof.treeSize).toBe('3');
  });
});

describe('a log that is killed', () => {
  it('keeps the entry that it persisted and never answered for', async () => {
    const folder = newFolder();
    const log = await startProcess(folder);
    await log.fault('slow'); // it logs, and the answer never comes
    const hanging = post(log.url, requestOf(signed('unanswered'))).catch(() => 'no answer');
    const deadline = Date.now() + 20_000;
    while (!(await textAt(`${log.url}/checkpoint`)).includes('\n1\n')) {
      if (Date.now() > deadline) throw new Error('it was not logged');
    }
    await log.kill();
    expect(await hanging).toBe('no answer');

    const after = await devLog({ folder });
    expect(after.size).toBe(1);
    const bundle = await textAt(`${after.url}/tile/entries/000.p/1`);
    expect(bundle).toContain(signed('unanswered').digest.toString('base64'));
  });

  it('has all that it answered for, at whatever moment it dies', async () => {
    const folder = newFolder();
    const answered = new Map<number, string>();
    for (let round = 0; round < 3; round++) {
      const log = await startProcess(folder);
      const before = answered.size;
      const send = async (writer: number): Promise<void> => {
        for (let n = 0; ; n++) {
          const entry = await logMessage(log.url, `${round} ${writer} ${n}`);
          answered.set(Number(entry.logIndex), entry.canonicalizedBody);
          // The parent decides by what it was told, so each round dies at another place.
          if (answered.size === before + 5 + 4 * round) log.child.kill('SIGKILL');
        }
      };
      await Promise.allSettled([send(0), send(1), send(2), send(3)]);
      await log.kill();
    }
    const log = await devLog({ folder });
    const lines = readFileSync(join(folder, 'entries.jsonl'), 'utf8').trim().split('\n');
    expect(answered.size).toBeGreaterThanOrEqual(27);
    expect(lines.length).toBe(log.size);
    for (const [index, body] of answered) {
      expect(lines[index]).toBe(Buffer.from(body, 'base64').toString());
    }
  });
});
