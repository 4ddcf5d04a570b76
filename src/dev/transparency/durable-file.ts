/**
 * Files that are on disk before anyone is told of what stands in them.
 *
 * @module
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** For keys. */
export const SECRET = 0o600;
/** For what others are to read. */
export const PUBLIC = 0o644;

export interface FileText {
  readonly path: string;
  readonly text: string;
  readonly mode: typeof SECRET | typeof PUBLIC;
}

/** All or nothing, and on disk: a new file takes the place of the old one. */
export async function writeDurably({ path, text, mode }: FileText): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const next = `${path}.next`;
  const file = await open(next, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
  await syncFolder(folder); // the rename is an entry of the folder
}

/** Makes the names in a folder durable. */
async function syncFolder(folder: string): Promise<void> {
  const entry = await open(folder, 'r');
  try {
    await entry.sync();
  } finally {
    await entry.close();
  }
}

/** What stands in a file; undefined if there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
}

/** The system's word for what went wrong. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
