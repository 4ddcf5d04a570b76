/**
 * Claim: no statement replaces a row that is there: also not `INSERT OR REPLACE`, which deletes the old row
 * without asking the trigger that forbids deleting.
 */
import { describe, expect, it } from 'vitest';
import { createClient, type InValue } from '@libsql/client';
import { leafHash } from '../../src/evidence/merkle.ts';
import { MIGRATIONS } from '../../src/store/libsql/migrations.ts';
import { openAt, rowsAt, tamper, temporaryPlace, type Place } from '../ledger/fixtures.ts';
import { auditFile, seen } from './real-file.ts';

/** A ledger of four entries; the one of number 2 is about the call `export-43`. */
async function newLedger(): Promise<Place & { readonly key: string }> {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  for (const id of ['read-42', 'export-43', 'read-44']) await ledger.append([seen(id)]);
  await ledger.close();
  return { ...place, key: ledger.vkey };
}

const TARGET = 2;
const WITHOUT_TRIGGER = 'DROP TRIGGER entry_chain';

async function execute({ url }: Place, sql: string, args: InValue[]): Promise<number> {
  const client = createClient({ url, timeout: 2000 });
  try {
    return (await client.execute({ sql, args })).rowsAffected;
  } finally {
    client.close();
  }
}

/** Writes another call over the row, with everything else in the row as it was. */
async function replace(place: Place, verb: string): Promise<void> {
  const row = (await rowsAt(place))[TARGET];
  if (!row?.bytes) throw new TypeError('no row');
  const bytes = Buffer.from(Buffer.from(row.bytes).toString().replace('export-43', 'read-4343'));
  const sql = `${verb} INTO entry (seq, prev, leaf, head, bytes) VALUES (?, ?, ?, ?, ?)`;
  expect(await execute(place, sql, [row.seq, row.prev, leafHash(bytes), row.head, bytes])).toBe(1);
}

async function textOf(place: Place): Promise<string> {
  return Buffer.from((await rowsAt(place))[TARGET]?.bytes ?? []).toString();
}

describe('INSERT OR REPLACE over an entry', () => {
  it('succeeds, past the trigger that forbids deleting, where the chain trigger is gone', async () => {
    const place = await newLedger();
    await expect(tamper(place, `DELETE FROM entry WHERE seq = ${TARGET}`)).rejects.toThrow(
      'crumb:append-only',
    );
    await tamper(place, WITHOUT_TRIGGER);
    await expect(tamper(place, `DELETE FROM entry WHERE seq = ${TARGET}`)).rejects.toThrow(
      'crumb:append-only',
    );
    await replace(place, 'INSERT OR REPLACE');
    expect(await textOf(place)).toContain('read-4343');
    expect(await rowsAt(place)).toHaveLength(4);
  });

  it.each(['INSERT OR REPLACE', 'REPLACE', 'INSERT OR IGNORE', 'INSERT'])(
    'is refused where it is there (%s)',
    async (verb) => {
      const place = await newLedger();
      await expect(replace(place, verb)).rejects.toThrow('crumb:chain');
      expect(await textOf(place)).toContain('export-43');
      expect(await auditFile(place, { key: place.key })).toMatchObject({ sound: true });
    },
  );
});

it('an upsert is refused where the row is there', async () => {
  const place = await newLedger();
  const sql = `INSERT INTO entry (seq, prev, leaf, bytes) SELECT seq, prev, leaf, ? FROM entry WHERE seq = ${TARGET}
    ON CONFLICT (seq) DO UPDATE SET bytes = excluded.bytes`;
  await expect(execute(place, sql, [Buffer.from('x')])).rejects.toThrow('crumb:');
  await expect(
    execute(place, `UPDATE OR REPLACE entry SET seq = ${TARGET} WHERE seq = ?`, [1]),
  ).rejects.toThrow('crumb:append-only');
});

describe('whoever owns the database can drop the trigger, and is found all the same', () => {
  it('by verification', async () => {
    const place = await newLedger();
    await tamper(place, WITHOUT_TRIGGER);
    await replace(place, 'INSERT OR REPLACE');
    const { sound, level, findings } = await auditFile(place, { key: place.key });
    expect([sound, level]).toEqual([false, 'none']);
    expect(findings).toContainEqual({ code: 'chain_broken', seq: TARGET + 1, what: 'prev' });
  });

  it('by the next start, if the trigger is not put back', async () => {
    const place = await newLedger();
    await tamper(place, WITHOUT_TRIGGER);
    await expect(openAt(place)).rejects.toMatchObject({ code: 'ledger_invalid' });
  });

  it('by the next start, if it is put back, since the tree is not the one that was signed', async () => {
    const place = await newLedger();
    await tamper(place, WITHOUT_TRIGGER);
    await replace(place, 'INSERT OR REPLACE');
    const trigger = MIGRATIONS.flatMap(({ objects }) => objects).find(
      ({ name }) => name === 'entry_chain',
    );
    await tamper(place, trigger?.sql ?? '');
    await expect(openAt(place)).rejects.toMatchObject({ code: 'ledger_forked' });
  });
});
