import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileGuard, type GuardMark, type RollbackGuard } from '../../src/ledger/rollback-guard.ts';
import { openGuard } from '../../src/store/libsql/libsql-guard.ts';
import { openAt, outcome, temporaryDirectory, temporaryPlace, type Place } from './fixtures.ts';

const mark = (size: number): GuardMark => ({
  origin: 'acme.example/crumb',
  size,
  root: new Uint8Array(32).fill(size),
  leaf: new Uint8Array(32).fill(size + 1),
});

const kinds = [
  ['a file', (place: Place) => place.guard],
  ['a database', (place: Place) => `file:${place.guard}.db`],
] as const;

describe.each(kinds)('a rollback guard in %s', (_kind, at) => {
  const open = async (place: Place): Promise<RollbackGuard> => {
    const guard = await openGuard({ guard: at(place) });
    if (guard === undefined) throw new Error('no guard');
    return guard;
  };

  it('remembers a mark over restarts', async () => {
    const place = temporaryPlace();
    const guard = await open(place);
    expect(await guard.read()).toBeUndefined();
    expect(await guard.replace(undefined, mark(3))).toBe(true);
    expect(await guard.read()).toEqual(mark(3));
    await guard.close();
    const again = await open(place);
    expect(await again.read()).toEqual(mark(3));
    await again.close();
  });

  it('moves only from the mark that was read', async () => {
    const guard = await open(temporaryPlace());
    await guard.replace(undefined, mark(3));
    expect(await guard.replace(undefined, mark(5))).toBe(false);
    expect(await guard.replace(mark(4), mark(5))).toBe(false);
    expect(await guard.read()).toEqual(mark(3));
    expect(await guard.replace(mark(3), mark(5))).toBe(true);
    expect(await guard.read()).toEqual(mark(5));
    await guard.close();
  });

  it('stops a ledger that was restored from a backup', async () => {
    const place = temporaryPlace();
    const backup = join(place.directory, 'backup.db');
    const guard = at(place);
    const first = await openAt(place, { guard });
    await first.append([outcome(1)]);
    await first.close();
    copyFileSync(place.path, backup);

    const second = await openAt(place, { guard });
    await second.append([outcome(2)]);
    await second.close();

    copyFileSync(backup, place.path);
    await expect(openAt(place, { guard })).rejects.toMatchObject({ code: 'ledger_forked' });
  });

  it('stops a copy that went on by itself, at its next publication', async () => {
    const place = temporaryPlace();
    const guard = at(place);
    const copy = { url: `file:${join(place.directory, 'copy.db')}` };
    const first = await openAt(place, { guard });
    await first.append([outcome(1)]);
    await first.close();
    copyFileSync(place.path, join(place.directory, 'copy.db'));

    const [one, two] = [await openAt(place, { guard }), await openAt(copy, { guard })];
    await one.append([outcome(2)]);
    await two.append([outcome(3)]);
    await one.checkpoint();
    await expect(two.checkpoint()).rejects.toMatchObject({ code: 'ledger_forked' });
    await expect(two.append([outcome(4)])).rejects.toMatchObject({ code: 'ledger_forked' });
    await one.append([outcome(5)]);
  });

  it('lets a ledger go on that grew since', async () => {
    const place = temporaryPlace();
    const guard = at(place);
    const first = await openAt(place, { guard });
    await first.append(Array.from({ length: 300 }, (_, n) => outcome(n)));
    await first.checkpoint();
    await first.append(Array.from({ length: 300 }, (_, n) => outcome(n)));
    const second = await openAt(place, { guard });
    expect(second.opened.size).toBe(601);
  });

  it('is that of one ledger', async () => {
    const [place, other] = [temporaryPlace(), temporaryPlace()];
    const guard = at(place);
    await (await openAt(place, { guard })).close();
    await expect(openAt(other, { guard, origin: 'other.example/crumb' })).rejects.toMatchObject({
      code: 'ledger_invalid',
    });
  });

  it('stops a new ledger of the same name in the place of the old one', async () => {
    const [place, other] = [temporaryPlace(), temporaryPlace()];
    const guard = at(place);
    await (await openAt(place, { guard })).close();
    await expect(openAt(other, { guard })).rejects.toMatchObject({ code: 'ledger_forked' });
  });
});

it.each([
  '',
  '{}',
  'null',
  '{"origin":"a","size":1,"root":"AA==","leaf":"AA=="}',
  '[]',
  '{"size":"1"}',
])('takes %j for no mark, and does not go on', async (text) => {
  const path = join(temporaryDirectory(), 'guard');
  writeFileSync(path, text);
  await expect(fileGuard(path).read()).rejects.toMatchObject({ code: 'ledger_invalid' });
});

it('leaves no half-written file behind', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'deep', 'guard');
  const guard = fileGuard(path);
  await guard.replace(undefined, mark(1));
  await guard.replace(mark(1), mark(2));
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ size: 2 });
  expect(existsSync(`${path}.${process.pid}.next`)).toBe(false);
});

it('says so when its place cannot be written', async () => {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, '');
  const guard = fileGuard(join(path, 'guard'));
  await expect(guard.replace(undefined, mark(1))).rejects.toMatchObject({
    code: 'ledger_unwritable',
  });
});
