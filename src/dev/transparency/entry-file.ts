/**
 * The entries of a development log: a file that only grows, each entry a line of canonical JSON.
 *
 * @module
 */
import { open, type FileHandle } from 'node:fs/promises';
import { canonicalJson, toJson } from '../../attribution/canonical.ts';
import { concatBytes, fromUtf8 } from '../../evidence/bytes.ts';
import { damaged, FILES } from './log-identity.ts';

const NEWLINE = 0x0a;

/** A line that has not ended after so many bytes never was an entry. */
const MAX_ENTRY = 65_535;

export class EntryFile {
  readonly #file: FileHandle;
  /** Where each entry starts, and where the next one will. */
  readonly #starts: number[];

  private constructor(file: FileHandle, starts: number[]) {
    this.#file = file;
    this.#starts = starts;
  }

  /**
   * Opens the file and gives each entry to `each`. What a crash left of an entry that nobody was told of is
   * cut off; entries that were told of are all there, or nothing is opened.
   *
   * @param published How many entries the last checkpoint has.
   * @throws {CrumbError} `folder_damaged`: some of those are missing.
   */
  static async open(
    path: string,
    published: number,
    each: (entry: Uint8Array) => void,
  ): Promise<EntryFile> {
    const file = await open(path, 'r+');
    try {
      const starts = [0];
      for await (const entry of linesOf(file)) {
        const n = starts.length - 1;
        // The checkpoint vouches for the others: its root is over exactly these bytes.
        if (n >= published && !isEntry(entry)) break;
        each(entry);
        starts.push((starts[n] ?? 0) + entry.length + 1);
      }
      if (starts.length - 1 < published) throw damaged(FILES.entries);
      await file.truncate(starts.at(-1));
      await file.sync();
      return new EntryFile(file, starts);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Appends entries; they are on disk when this resolves, and none of them is if it throws. */
  async append(entries: readonly Uint8Array[]): Promise<void> {
    const start = this.#starts.at(-1) ?? 0;
    const lines = concatBytes(...entries.flatMap((entry) => [entry, Uint8Array.of(NEWLINE)]));
    try {
      for (let at = 0; at < lines.length;) {
        const { bytesWritten } = await this.#file.write(lines, at, lines.length - at, start + at);
        at += bytesWritten;
      }
      await this.#file.sync();
    } catch (error) {
      await this.#file.truncate(start);
      throw error;
    }
    let end = start;
    for (const entry of entries) this.#starts.push((end += entry.length + 1));
  }

  /** Entries `[from, to)`. */
  async read(from: number, to: number): Promise<readonly Uint8Array[]> {
    const start = this.#starts[from] ?? 0;
    const buffer = new Uint8Array((this.#starts[to] ?? start) - start);
    await this.#file.read(buffer, 0, buffer.length, start);
    return Array.from({ length: to - from }, (_, n) => {
      const [begin = start, next = start] = this.#starts.slice(from + n, from + n + 2);
      return buffer.subarray(begin - start, next - start - 1);
    });
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Whole lines without their newlines; the rest of one at the end is left out. */
async function* linesOf(file: FileHandle): AsyncIterable<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  const chunk = new Uint8Array(1 << 18);
  for (let position = 0; ;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    const bytes = concatBytes(rest, chunk.subarray(0, bytesRead));
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      yield bytes.slice(from, end);
      from = end + 1;
    }
    rest = bytes.slice(from);
    if (rest.length > MAX_ENTRY) return;
  }
}

function isEntry(bytes: Uint8Array): boolean {
  try {
    const text = fromUtf8(bytes) ?? '';
    return bytes.length <= MAX_ENTRY && canonicalJson(toJson(JSON.parse(text))) === text;
  } catch {
    return false;
  }
}

/** Entries as an entry bundle of tlog-tiles: each behind its length in two bytes. */
export function entryBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    ...entries.flatMap((entry) => [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry]),
  );
}
