/**
 * What every `LedgerStore` must hold to, whatever is below it.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LedgerStore, SealedEntry, Tile } from '../../src/ledger/ledger-store.ts';

/** Opens the same storage again each time it is called; the test closes what it opens. */
export type OpenStore = () => Promise<LedgerStore>;

const HEAD = new Uint8Array(64).fill(7);
const bytesOf = (bytes: Uint8Array | null | undefined): Buffer => Buffer.from(bytes ?? []);

/** Entries that follow `start`, with any bytes: the store does not look into them. */
export function entriesFrom(
  { size, leaf }: { readonly size: number; readonly leaf: Uint8Array },
  count: number,
): SealedEntry[] {
  const entries: SealedEntry[] = [];
  for (let n = 0; n < count; n++) {
    const prev = entries.at(-1)?.leaf ?? leaf;
    entries.push({
      seq: size + n,
      prev,
      leaf: new Uint8Array(randomBytes(32)),
      bytes: new Uint8Array(randomBytes(50)),
    });
  }
  return entries;
}

async function append(
  store: LedgerStore,
  count: number,
  tiles: readonly Tile[] = [],
): Promise<void> {
  await store.write(async (tx) => tx.insert(entriesFrom(await tx.end(), count), HEAD, tiles));
}

const tile = (level: number, n: number): Tile => ({
  level,
  n,
  root: new Uint8Array(randomBytes(32)),
  hashes: new Uint8Array(randomBytes(8192)),
});

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const list = [];
  for await (const row of rows) list.push(row);
  return list;
}

export function describeStore(name: string, setUp: () => Promise<OpenStore>): void {
  describe(`a ledger store over ${name}`, () => {
    const opened = async (): Promise<{ store: LedgerStore; open: OpenStore }> => {
      const openRaw = await setUp();
      const open = async (): Promise<LedgerStore> => {
        const store = await openRaw();
        onTestFinished(() => store.close().catch(() => {}));
        return store;
      };
      return { store: await open(), open };
    };

    it('is empty at first', async () => {
      const { store } = await opened();
      expect(await store.end()).toEqual({ size: 0, leaf: new Uint8Array(32) });
      expect(await store.origin()).toBeUndefined();
      expect(await store.checkpoint()).toBeUndefined();
      expect(await all(store.read(0))).toEqual([]);
    });

    it('gives back what was inserted, byte for byte, with the head on the last entry', async () => {
      const { store, open } = await opened();
      const entries = entriesFrom(await store.end(), 3);
      await store.write((tx) => tx.insert(entries, HEAD, []));
      for (const reader of [store, await open()]) {
        const rows = await all(reader.read(0));
        expect(rows.map(({ seq }) => seq)).toEqual([0, 1, 2]);
        for (const [n, row] of rows.entries()) {
          expect(bytesOf(row.bytes)).toEqual(bytesOf(entries[n]?.bytes));
          expect(bytesOf(row.leaf)).toEqual(bytesOf(entries[n]?.leaf));
          expect(bytesOf(row.prev)).toEqual(bytesOf(entries[n]?.prev));
        }
        expect(rows.map(({ head }) => head?.length)).toEqual([undefined, undefined, 64]);
        const end = await reader.end();
        expect([end.size, bytesOf(end.leaf)]).toEqual([3, bytesOf(entries[2]?.leaf)]);
      }
    });

    it('reads ranges, and pages longer ones', async () => {
      const { store } = await opened();
      for (let n = 0; n < 5; n++) await append(store, 500);
      expect((await all(store.read(0))).map(({ seq }) => seq)).toEqual(
        Array.from({ length: 2500 }, (_, n) => n),
      );
      expect((await all(store.read(998, 1003))).map(({ seq }) => seq)).toEqual([
        998, 999, 1000, 1001, 1002,
      ]);
      expect(await store.page(10, 5000)).toHaveLength(1000);
      expect(await all(store.read(2500))).toEqual([]);
    });

    it('reads hashes by level: leaves, and the roots of tiles', async () => {
      const { store } = await opened();
      const tiles = [tile(0, 0), tile(0, 1), tile(1, 0)];
      await append(store, 10, tiles);
      const leaves = (await all(store.read(2, 5))).map(({ leaf }) => bytesOf(leaf));
      expect((await store.hashes(0, 2, 5)).map(bytesOf)).toEqual(leaves);
      expect((await store.hashes(1, 0, 2)).map(bytesOf)).toEqual([
        bytesOf(tiles[0]?.root),
        bytesOf(tiles[1]?.root),
      ]);
      expect((await store.hashes(2, 0, 9)).map(bytesOf)).toEqual([bytesOf(tiles[2]?.root)]);
      expect(await store.hashes(3, 0, 9)).toEqual([]);
    });

    it('sees in a transaction what the transaction wrote', async () => {
      const { store } = await opened();
      await store.write(async (tx) => {
        await tx.name('acme.example/crumb');
        await tx.insert(entriesFrom(await tx.end(), 2), HEAD, []);
        expect((await tx.end()).size).toBe(2);
        expect(await tx.page(0, 9)).toHaveLength(2);
        expect(await tx.origin()).toBe('acme.example/crumb');
      });
      expect(await store.origin()).toBe('acme.example/crumb');
    });

    it('rolls everything back when the work throws, and passes on what it threw', async () => {
      const { store } = await opened();
      await append(store, 1);
      const boom = new Error('boom');
      const work = store.write(async (tx) => {
        await tx.insert(entriesFrom(await tx.end(), 2), HEAD, [tile(0, 0)]);
        await tx.spend(new Uint8Array(32), 1);
        await tx.publish({ size: 3, root: new Uint8Array(32), note: 'note' });
        throw boom;
      });
      await expect(work).rejects.toBe(boom);
      expect((await store.end()).size).toBe(1);
      expect(await store.hashes(1, 0, 1)).toEqual([]);
      expect(await store.checkpoint()).toBeUndefined();
      expect(await store.peek(new Uint8Array(32), 1)).toBe(true);
      await append(store, 1);
      expect((await store.end()).size).toBe(2);
    });

    it('lets one work at a time, over all who have it open', async () => {
      const { store, open } = await opened();
      const stores = [store, await open(), await open()];
      let inside = 0;
      await Promise.all(
        [...stores, ...stores, ...stores, ...stores].map((one) =>
          one.write(async (tx) => {
            expect(++inside).toBe(1);
            const end = await tx.end();
            await new Promise((resolve) => void setImmediate(resolve));
            await tx.insert(entriesFrom(end, 2), HEAD, []);
            inside--;
          }),
        ),
      );
      expect((await store.end()).size).toBe(24);
    });

    it.each<[string, (entry: SealedEntry) => SealedEntry]>([
      ['leaves a gap', (entry) => ({ ...entry, seq: entry.seq + 1 })],
      ['takes a place that is taken', (entry) => ({ ...entry, seq: entry.seq - 1 })],
      ['follows another entry', (entry) => ({ ...entry, prev: new Uint8Array(32) })],
    ])('refuses an entry that %s', async (_what, change) => {
      const { store } = await opened();
      await append(store, 2);
      const work = store.write(async (tx) => {
        const [entry] = entriesFrom(await tx.end(), 1);
        if (entry !== undefined) await tx.insert([change(entry)], HEAD, []);
      });
      await expect(work).rejects.toMatchObject({ code: 'ledger_forked' });
      expect((await store.end()).size).toBe(2);
      await append(store, 1);
    });

    it('spends each use once and never more than there are', async () => {
      const { store } = await opened();
      const key = new Uint8Array(randomBytes(32));
      const spend = (max: number): Promise<boolean> => store.write((tx) => tx.spend(key, max));
      expect(await store.peek(key, 2)).toBe(true);
      expect([await spend(2), await spend(2), await spend(2)]).toEqual([true, true, false]);
      expect(await store.peek(key, 2)).toBe(false);
      expect(await store.write((tx) => tx.spend(new Uint8Array(32), 0))).toBe(false);
    });

    it('keeps checkpoints that grow, and refuses another for the same or a smaller size', async () => {
      const { store } = await opened();
      await append(store, 3);
      const note = (size: number, text: string): Promise<void> =>
        store.write((tx) => tx.publish({ size, root: new Uint8Array(32), note: text }));
      await note(2, 'two');
      await note(3, 'three');
      for (const size of [1, 2, 3]) {
        await expect(note(size, 'other')).rejects.toMatchObject({ code: 'ledger_forked' });
      }
      expect(await store.checkpoint()).toMatchObject({ size: 3, note: 'three' });
    });

    it('puts lost tiles back', async () => {
      const { store } = await opened();
      const lost = tile(0, 0);
      await store.write((tx) => tx.restore([lost]));
      await store.write((tx) => tx.restore([lost]));
      expect((await store.hashes(1, 0, 1)).map(bytesOf)).toEqual([bytesOf(lost.root)]);
    });

    it('keeps requests for approval until they are spent', async () => {
      const { store } = await opened();
      const key = new Uint8Array(randomBytes(32));
      const call = { session: 's', agent: 'a', callId: 'c', tool: 't' };
      const expires = new Date(Date.now() + 60_000);
      await store.pending.put({ ...call, key, args: 'h1.x', salt: new Uint8Array(32), expires });
      expect(await store.pending.find(call)).toMatchObject({ args: 'h1.x', expires });
      await store.write((tx) => tx.spend(key, 1));
      expect(await store.pending.find(call)).toBeUndefined();
    });

    it('refuses everything once it is closed', async () => {
      const { store } = await opened();
      await store.close();
      const asked = [store.end(), store.write(async () => {}), store.peek(new Uint8Array(32), 1)];
      for (const result of await Promise.allSettled(asked)) {
        expect(result).toMatchObject({ reason: { code: 'ledger_closed' } });
      }
      await store.close();
    });
  });
}
