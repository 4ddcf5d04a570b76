/**
 * Puts entries in order: what comes while a write is under way is written together, and nobody is answered
 * before entries and signed head are on disk.
 *
 * @module
 */
import { join } from 'node:path';
import { isCrumbError } from '../../errors.ts';
import { equalBytes, toBase64 } from '../../evidence/bytes.ts';
import { checkpointText, parseCheckpoint } from '../../evidence/checkpoint.ts';
import { leafHash } from '../../evidence/merkle.ts';
import { openNote, signNote } from '../../evidence/note.ts';
import { PUBLIC, readIfThere, writeDurably } from './durable-file.ts';
import { EntryFile } from './entry-file.ts';
import { GrowingTree, sha256 } from './growing-tree.ts';
import { damaged, FILES, type LogIdentity } from './log-identity.ts';

/** A tree that the log has signed. */
export interface LogHead {
  readonly size: number;
  readonly root: Uint8Array;
  /** The signed note. */
  readonly note: string;
}

/** What became of an entry. */
export type Sequenced =
  | { readonly kind: 'logged'; readonly index: number; readonly head: LogHead }
  | { readonly kind: 'duplicate'; readonly index: number }
  | { readonly kind: 'full' };

interface Waiting {
  readonly entry: Uint8Array;
  readonly leaf: Uint8Array;
  readonly done: PromiseWithResolvers<Sequenced>;
}

/** As many as are written together. */
const BATCH = 256;

export class Sequencer {
  readonly #identity: LogIdentity;
  readonly #folder: string;
  readonly #maxWaiting: number;
  readonly #tree: GrowingTree;
  readonly #entries: EntryFile;
  /** Where each leaf stands. */
  readonly #indexes: Map<string, number>;
  readonly #waiting: Waiting[] = [];
  /** What was taken and is not in the tree yet, by leaf. */
  readonly #underWay = new Map<string, Promise<Sequenced>>();
  #head: LogHead;
  #writing: Promise<void> | undefined;

  private constructor(parts: {
    readonly identity: LogIdentity;
    readonly folder: string;
    readonly maxWaiting: number;
    readonly tree: GrowingTree;
    readonly entries: EntryFile;
    readonly indexes: Map<string, number>;
    readonly head: LogHead;
  }) {
    this.#identity = parts.identity;
    this.#folder = parts.folder;
    this.#maxWaiting = parts.maxWaiting;
    this.#tree = parts.tree;
    this.#entries = parts.entries;
    this.#indexes = parts.indexes;
    this.#head = parts.head;
  }

  /**
   * Reads what the folder has. Entries that were written and not yet signed are signed now.
   *
   * @throws {CrumbError} `folder_damaged`: the entries are not those that the last checkpoint is over.
   */
  static async open(options: {
    readonly identity: LogIdentity;
    readonly folder: string;
    readonly maxWaiting: number;
  }): Promise<Sequencer> {
    const { identity, folder } = options;
    const head = await readHead(folder, identity);
    const tree = new GrowingTree();
    const indexes = new Map<string, number>();
    const entries = await EntryFile.open(join(folder, FILES.entries), head.size, (entry) => {
      const leaf = leafHash(entry, sha256);
      indexes.set(toBase64(leaf), tree.size);
      tree.append(leaf);
    });
    const sequencer = new Sequencer({ ...options, tree, entries, indexes, head });
    if (!equalBytes(tree.rootAt(head.size), head.root)) {
      await entries.close();
      throw damaged(FILES.entries);
    }
    if (tree.size > head.size) await sequencer.#publish();
    return sequencer;
  }

  get head(): LogHead {
    return this.#head;
  }

  /** Its leaves up to the size of {@link head} are published; there may be more. */
  get tree(): Pick<GrowingTree, 'hash' | 'rootAt' | 'tile'> {
    return this.#tree;
  }

  /** Entries `[from, to)`. */
  async read(from: number, to: number): Promise<readonly Uint8Array[]> {
    return this.#entries.read(from, to);
  }

  /** Logs an entry, once. It is on disk, under a signed head, when this resolves with `logged`. */
  async submit(entry: Uint8Array): Promise<Sequenced> {
    const leaf = leafHash(entry, sha256);
    const name = toBase64(leaf);
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) {
      const first = await underWay;
      return first.kind === 'logged' ? { kind: 'duplicate', index: first.index } : first;
    }
    const index = this.#indexes.get(name);
    if (index !== undefined) return { kind: 'duplicate', index };
    if (this.#waiting.length >= this.#maxWaiting) return { kind: 'full' };
    const done = Promise.withResolvers<Sequenced>();
    this.#waiting.push({ entry, leaf, done });
    this.#underWay.set(name, done.promise);
    this.#writing ??= this.#write();
    try {
      return await done.promise;
    } finally {
      this.#underWay.delete(name);
    }
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#entries.close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        await this.#commit(batch);
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    await this.#entries.append(batch.map(({ entry }) => entry));
    const first = this.#tree.size;
    for (const [n, { leaf }] of batch.entries()) {
      this.#indexes.set(toBase64(leaf), first + n);
      this.#tree.append(leaf);
    }
    // A crash before this line leaves entries that nobody was told of: the next start signs them. If
    // signing fails they stay, too, and the next head covers them.
    await this.#publish();
    const head = this.#head;
    for (const [n, { done }] of batch.entries()) {
      done.resolve({ kind: 'logged', index: first + n, head });
    }
  }

  async #publish(): Promise<void> {
    const { name, signer } = this.#identity;
    const { size } = this.#tree;
    const root = this.#tree.rootAt(size);
    const note = await signNote(checkpointText({ origin: name, size, root }), name, signer);
    await writeDurably({ path: join(this.#folder, FILES.checkpoint), text: note, mode: PUBLIC });
    this.#head = { size, root, note };
  }
}

async function readHead(folder: string, { name, vkey }: LogIdentity): Promise<LogHead> {
  const note = await readIfThere(join(folder, FILES.checkpoint));
  try {
    const { text } = await openNote(note ?? '', [vkey]);
    const { origin, size, root } = parseCheckpoint(text);
    if (note !== undefined && origin === name) return { size, root, note };
  } catch (error) {
    if (!isCrumbError(error)) throw error;
  }
  throw damaged(FILES.checkpoint);
}
