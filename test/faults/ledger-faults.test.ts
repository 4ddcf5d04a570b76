/**
 * Every step of a commit and of a publication made to fail, before and after it takes effect.
 *
 * @module
 */
import { expect, it, onTestFinished } from 'vitest';
import { CrumbError } from '../../src/errors.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import {
  CommitUnknownError,
  type LedgerStore,
  type LedgerTx,
} from '../../src/ledger/ledger-store.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { fileGuard, type RollbackGuard } from '../../src/ledger/rollback-guard.ts';
import { createSigner } from '../../src/ledger/signer.ts';
import { openLibsqlStore } from '../../src/store/libsql/libsql-store.ts';
import {
  auditRows,
  KEY,
  openAt,
  ORIGIN,
  outcome,
  rowsAt,
  tamper,
  temporaryPlace,
  type Place,
} from '../ledger/fixtures.ts';

/** Says at which step to fail. Steps are counted while it is armed. */
interface Saboteur {
  failAt: string | undefined;
  readonly seen: string[];
}

const broken = (): Error => new CrumbError('ledger_unwritable', { cause: new Error('sabotage') });

function step(saboteur: Saboteur, name: string): void {
  saboteur.seen.push(name);
  if (saboteur.failAt !== name) return;
  saboteur.failAt = undefined;
  throw broken();
}

/** A store in which any step can fail, before or after it was done. */
function sabotagedStore(store: LedgerStore, saboteur: Saboteur): LedgerStore {
  return {
    ...store,
    async write(work) {
      step(saboteur, 'before lock');
      const { failAt } = saboteur;
      if (failAt === 'commit, lost before') {
        saboteur.failAt = undefined;
        await store.write(async (tx) => {
          await work(sabotagedTx(tx, saboteur));
          throw new CommitUnknownError(broken()); // rolls back
        });
      }
      const result = await store.write((tx) => work(sabotagedTx(tx, saboteur)));
      if (saboteur.failAt === 'commit, lost after') {
        saboteur.failAt = undefined;
        throw new CommitUnknownError(broken());
      }
      return result;
    },
  };
}

function sabotagedTx(tx: LedgerTx, saboteur: Saboteur): LedgerTx {
  return {
    ...tx,
    async end() {
      step(saboteur, 'end');
      return tx.end();
    },
    async spend(key, max) {
      step(saboteur, 'before spend');
      const spent = await tx.spend(key, max);
      step(saboteur, 'after spend');
      return spent;
    },
    async insert(entries, head, tiles) {
      step(saboteur, 'before insert');
      await tx.insert(entries, head, tiles);
      step(saboteur, 'after insert');
    },
    async publish(checkpoint) {
      step(saboteur, 'before publish');
      await tx.publish(checkpoint);
      step(saboteur, 'after publish');
    },
  };
}

function sabotagedGuard(guard: RollbackGuard, saboteur: Saboteur): RollbackGuard {
  return {
    ...guard,
    async read() {
      step(saboteur, 'guard read');
      return guard.read();
    },
    async replace(expected, next) {
      step(saboteur, 'before guard');
      const done = await guard.replace(expected, next);
      step(saboteur, 'after guard');
      return done;
    },
  };
}

async function sabotaged(place: Place): Promise<{ ledger: Ledger; saboteur: Saboteur }> {
  const saboteur: Saboteur = { failAt: undefined, seen: [] };
  const store = sabotagedStore(await openLibsqlStore({ url: place.url }), saboteur);
  const guard = sabotagedGuard(fileGuard(place.guard), saboteur);
  const ledger = await openLedger({ store, guard, origin: ORIGIN, signer: createSigner(KEY) });
  onTestFinished(() => ledger.close().catch(() => {}));
  return { ledger, saboteur };
}

const spend = { key: new Uint8Array(32).fill(1), max: 1, otherwise: [outcome(999)] };
const COMMIT = [
  'before lock',
  'end',
  'before spend',
  'after spend',
  'before insert',
  'after insert',
];
const PUBLICATION = [
  'before lock',
  'end',
  'before guard',
  'after guard',
  'before publish',
  'after publish',
];

it('passes these steps, in this order', async () => {
  const { ledger, saboteur } = await sabotaged(temporaryPlace());
  saboteur.seen.length = 0;
  await ledger.append([outcome(1)], { spend });
  expect(saboteur.seen).toEqual(COMMIT);
  saboteur.seen.length = 0;
  await ledger.checkpoint();
  expect(saboteur.seen).toEqual(PUBLICATION);
});

it.each(COMMIT)('appends nothing when a commit fails at "%s", and goes on', async (failAt) => {
  const place = temporaryPlace();
  const { ledger, saboteur } = await sabotaged(place);
  await ledger.append(Array.from({ length: 200 }, () => outcome(0)));
  saboteur.failAt = failAt;
  const drafts = Array.from({ length: 100 }, () => outcome(1)); // completes a tile
  await expect(ledger.append(drafts, { spend })).rejects.toMatchObject({
    code: 'ledger_unwritable',
  });
  expect(await rowsAt(place)).toHaveLength(201);
  expect(await ledger.peek(spend.key, 1)).toBe(true);

  const again = await ledger.append(drafts, { spend });
  expect([again.spent, again.entries[0]?.seq]).toEqual([true, 201]);
  await ledger.close();
  await expectWhole(place, 301);
});

it.each(['commit, lost before', 'commit, lost after'])(
  'appends once when the answer to a commit is lost (%s)',
  async (failAt) => {
    const place = temporaryPlace();
    const { ledger, saboteur } = await sabotaged(place);
    saboteur.failAt = failAt;
    const asked = [ledger.append([outcome(1)], { spend }), ledger.append([outcome(2)], { spend })];
    const results = await Promise.all(asked);
    expect(results.map(({ spent, entries }) => [spent, entries[0]?.seq])).toEqual([
      [true, 1],
      [false, 2],
    ]);
    await ledger.append([outcome(3)]);
    await ledger.close();
    await expectWhole(place, 4);
  },
);

it.each(['commit, lost before', 'commit, lost after'])(
  'finds its own entries when another wrote after a lost answer (%s)',
  async (failAt) => {
    const place = temporaryPlace();
    const { ledger, saboteur } = await sabotaged(place);
    const other = await openAt(place);
    saboteur.failAt = failAt;
    const mine = ledger.append([outcome(1)]);
    await expect.poll(() => saboteur.failAt).toBeUndefined();
    const theirs = await other.append([outcome(2)]);
    const places = [(await mine).entries[0]?.seq, theirs.entries[0]?.seq];
    expect(new Set(places)).toEqual(new Set([1, 2]));
    await ledger.append([outcome(3)]);
    await ledger.close();
    await expectWhole(place, 4);
  },
);

it.each(PUBLICATION)(
  'publishes the same later when a publication fails at "%s"',
  async (failAt) => {
    const place = temporaryPlace();
    const { ledger, saboteur } = await sabotaged(place);
    await ledger.append([outcome(1)]);
    await ledger.checkpoint();
    const { head } = await ledger.append([outcome(2)]);
    saboteur.failAt = failAt;
    await expect(ledger.checkpoint()).rejects.toMatchObject({ code: 'ledger_unwritable' });

    // A crash at this point: another process opens, with the guard as it was left.
    const other = await openAt(place, { guard: place.guard });
    expect(other.opened).toMatchObject({ size: 3, unpublished: 1 });
    await other.close();

    expect(await ledger.checkpoint()).toBe(head);
    await ledger.append([outcome(3)]);
    await ledger.close();
    await expectWhole(place, 4);
  },
);

it.each(['commit, lost before', 'commit, lost after'])(
  'publishes once when the answer to that commit is lost (%s)',
  async (failAt) => {
    const place = temporaryPlace();
    const { ledger, saboteur } = await sabotaged(place);
    const { head } = await ledger.append([outcome(2)]);
    saboteur.failAt = failAt;
    expect(await ledger.checkpoint()).toBe(head);
    await ledger.close();
    await expectWhole(place, 2);
  },
);

it.each([
  ['entries', 'entry'],
  ['tiles', 'tile'],
])('leaves no part of a commit when the database refuses its %s', async (_what, table) => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append(Array.from({ length: 250 }, () => outcome(0)));
  await tamper(
    place,
    `CREATE TRIGGER full BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'full'); END`,
  );
  const drafts = Array.from({ length: 20 }, () => outcome(1));
  await expect(ledger.append(drafts)).rejects.toMatchObject({ code: 'ledger_unwritable' });
  await tamper(place, 'DROP TRIGGER full');
  await ledger.append(drafts);
  await ledger.close();
  await expectWhole(place, 271);
});

it('signs nothing more over a row that someone slipped in', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(1)]);
  await tamper(
    place,
    "INSERT INTO entry SELECT seq + 1, leaf, randomblob(32), randomblob(64), CAST('{}' AS BLOB) FROM entry ORDER BY seq DESC LIMIT 1",
  );
  await expect(ledger.append([outcome(2)])).rejects.toMatchObject({ code: 'ledger_forked' });
  await expect(ledger.append([outcome(3)])).rejects.toMatchObject({ code: 'ledger_forked' });
  await expect(ledger.checkpoint()).rejects.toMatchObject({ code: 'ledger_forked' });
});

it('signs nothing more over a ledger that became shorter', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(1), outcome(2)]);
  await tamper(place, 'DROP TRIGGER entry_delete', 'DELETE FROM entry WHERE seq = 2');
  await expect(ledger.append([outcome(3)])).rejects.toMatchObject({ code: 'ledger_forked' });
});

it('signs nothing more when its last entry was exchanged for another', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(1), outcome(2)]);
  await tamper(
    place,
    'DROP TRIGGER entry_update',
    'UPDATE entry SET leaf = randomblob(32) WHERE seq = 2',
  );
  await expect(ledger.append([outcome(3)])).rejects.toMatchObject({ code: 'ledger_forked' });
});

it('follows thousands of entries of another writer before it takes the lock', async () => {
  const place = temporaryPlace();
  const [idle, busy] = [await openAt(place), await openAt(place)];
  for (let n = 0; n < 3; n++) {
    await busy.append(Array.from({ length: 4_000 }, (_, i) => outcome(i)));
  }
  expect((await idle.append([outcome(1)])).entries[0]?.seq).toBe(12_001);
  await expectWhole(place, 12_002);
});

async function expectWhole(place: Place, size: number): Promise<void> {
  const ledger = await openAt(place, { guard: place.guard });
  expect(ledger.opened).toMatchObject({ created: false, size, tilesRepaired: 0 });
  expect(await auditRows(await rowsAt(place), ledger.vkey)).toHaveLength(size);
  await ledger.close();
}
