/**
 * A second history of a development log, signed with its real key: what was logged last never was. It lives
 * in memory, while the fault `fork` is set. A log that did this would be caught by a witness, or by whoever
 * compares two receipts.
 *
 * @module
 */
import { utf8 } from '../../evidence/bytes.ts';
import { checkpointText } from '../../evidence/checkpoint.ts';
import { leafHash } from '../../evidence/merkle.ts';
import { signNote } from '../../evidence/note.ts';
import { GrowingTree } from './growing-tree.ts';
import type { LogIdentity } from './log-identity.ts';
import type { LogHead, Sequenced, Sequencer } from './sequencer.ts';

export class ForkedLog {
  readonly tree = new GrowingTree();
  readonly #identity: LogIdentity;
  readonly #entries: Uint8Array[] = [];
  #head: LogHead | undefined;

  private constructor(identity: LogIdentity) {
    this.#identity = identity;
  }

  /** Leaves the real history before its last entry. */
  static async from(sequencer: Sequencer, identity: LogIdentity): Promise<ForkedLog> {
    const { size } = sequencer.head;
    const fork = new ForkedLog(identity);
    const shared = await sequencer.read(0, Math.max(0, size - 1));
    for (const entry of size === 0 ? [utf8('another history')] : shared) fork.#append(entry);
    return fork;
  }

  async head(): Promise<LogHead> {
    const { name, signer } = this.#identity;
    const { size } = this.tree;
    if (this.#head?.size === size) return this.#head;
    const root = this.tree.rootAt(size);
    const note = await signNote(checkpointText({ origin: name, size, root }), name, signer);
    this.#head = { size, root, note };
    return this.#head;
  }

  async submit(entry: Uint8Array): Promise<Sequenced> {
    const known = this.#entries.findIndex((one) => Buffer.compare(one, entry) === 0);
    if (known >= 0) return { kind: 'duplicate', index: known };
    this.#append(entry);
    return { kind: 'logged', index: this.tree.size - 1, head: await this.head() };
  }

  async read(from: number, to: number): Promise<readonly Uint8Array[]> {
    return this.#entries.slice(from, to);
  }

  #append(entry: Uint8Array): void {
    this.#entries.push(entry);
    this.tree.append(leafHash(entry));
  }
}
