/**
 * A folder that one process alone works in: two logs over the same files would sign two histories.
 *
 * @module
 */
import { mkdir, open, readFile, realpath, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CrumbError } from '../../errors.ts';
import { codeOf } from './durable-file.ts';

/** Folders that this process holds: a lock with our own number and none of these is a dead one's. */
const held = new Set<string>();

export interface HeldFolder {
  readonly path: string;
  release(): Promise<void>;
}

/**
 * Takes a folder, and makes it if it is not there.
 *
 * @throws {CrumbError} `folder_in_use`: another process has it.
 */
export async function holdFolder(folder: string): Promise<HeldFolder> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = await realpath(folder);
  if (held.has(path)) throw inUse(path);
  held.add(path);
  const lock = join(path, 'lock');
  try {
    await takeLock(lock, path);
  } catch (error) {
    held.delete(path);
    throw error;
  }
  return {
    path,
    async release() {
      if (held.delete(path)) await unlink(lock).catch(() => undefined); // somebody tidied up
    },
  };
}

async function takeLock(lock: string, folder: string): Promise<void> {
  for (;;) {
    try {
      const file = await open(lock, 'wx', 0o600);
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    // Who was killed could not take its lock away.
    const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (owner !== process.pid && isAlive(owner)) throw inUse(folder);
    await unlink(lock).catch(() => undefined); // gone by itself
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM'; // it lives, and is somebody else's
  }
}

function inUse(folder: string): CrumbError {
  return new CrumbError('folder_in_use', { names: [folder] });
}
