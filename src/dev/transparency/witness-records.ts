/**
 * What a development witness remembers: of each log the last checkpoint that it cosigned. It is on disk
 * before the cosignature leaves, so that no crash makes it sign a smaller or another tree.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isCrumbError } from '../../errors.ts';
import type { Checkpoint } from '../../evidence/checkpoint.ts';
import { openNote } from '../../evidence/note.ts';
import { PUBLIC, readIfThere, writeDurably } from './durable-file.ts';
import { damaged } from './log-identity.ts';
import { readCheckpoint } from './witness-request.ts';

/** A checkpoint with the lines of its log and ours. */
export interface CosignedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly note: string;
}

const ENDING = '.checkpoint';

export class WitnessRecords {
  readonly #folder: string;
  /** By {@link originHash}. */
  readonly #known = new Map<string, CosignedCheckpoint>();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws {CrumbError} `folder_damaged`: a record is not one that this witness signed. */
  static async open(folder: string, vkey: string): Promise<WitnessRecords> {
    const records = new WitnessRecords(folder);
    const files = (await readdir(folder)).filter((name) => name.endsWith(ENDING));
    for (const file of files) {
      const note = (await readIfThere(join(folder, file))) ?? '';
      const checkpoint = await openOwn(note, vkey);
      if (checkpoint === undefined) throw damaged(file);
      const hash = originHash(checkpoint.origin);
      if (file !== hash + ENDING) throw damaged(file);
      records.#known.set(hash, { checkpoint, note });
    }
    return records;
  }

  /** @param hash SHA-256 of the log's origin, in hex. */
  find(hash: string): CosignedCheckpoint | undefined {
    return this.#known.get(hash);
  }

  /**
   * Compares with what is known and remembers what follows, in one step: of two requests at a time the
   * second sees what the first one left.
   *
   * @param work Answers what to remember, or undefined for nothing. Only what is on disk counts as known.
   */
  async update(
    origin: string,
    work: (known: Checkpoint | undefined) => Promise<CosignedCheckpoint | undefined>,
  ): Promise<void> {
    const turn = this.#turn.then(async () => {
      const hash = originHash(origin);
      const next = await work(this.#known.get(hash)?.checkpoint);
      if (next === undefined) return;
      const path = join(this.#folder, hash + ENDING);
      await writeDurably({ path, text: next.note, mode: PUBLIC });
      this.#known.set(hash, next);
    });
    this.#turn = turn.catch(() => undefined);
    await turn;
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#turn;
  }
}

/** Name of a log in addresses: hex of SHA-256. */
function originHash(origin: string): string {
  return createHash('sha256').update(origin).digest('hex');
}

async function openOwn(note: string, vkey: string): Promise<Checkpoint | undefined> {
  try {
    await openNote(note, [vkey]);
    return readCheckpoint(note);
  } catch (error) {
    if (isCrumbError(error)) return undefined;
    throw error;
  }
}
