/**
 * People: one row for each (issuer, subject), found by a keyed hash and sealed.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { asc, eq, gt } from 'drizzle-orm';
import type { Actor } from '../attribution/act-chain.ts';
import { canonicalJson, toJson } from '../attribution/canonical.ts';
import type { Json } from '../attribution/tool-call.ts';
import { CrumbError } from '../errors.ts';
import { fromBase64url, toBase64url } from '../evidence/bytes.ts';
import { commitJson } from '../evidence/commitment.ts';
import type { Commitment } from '../evidence/kinds.ts';
import { insertOpenings, sealOpening } from './openings.ts';
import { subject as table } from './schema.ts';
import type { Sealer } from './sealing.ts';
import type { VaultFile } from './vault-file.ts';
import type { KnownPerson, Subject } from './vault.ts';

const PAGE = 200;

interface SubjectRow {
  readonly lookup: Uint8Array;
  readonly sealed: Uint8Array;
}

/** What a row says once it is opened. */
interface Known extends KnownPerson {
  readonly commitment: Commitment;
}

/** Finds or makes a person's row; the claims are renewed when they changed. */
export async function findOrMakeSubject(
  file: VaultFile,
  sealer: Sealer,
  { person, claims }: { readonly person: Actor; readonly claims: Json },
): Promise<Subject> {
  const lookup = lookupOf(sealer, person);
  const newest = canonicalJson(claims);
  const upToDate = (row: SubjectRow | undefined): Subject | undefined => {
    if (row === undefined) return undefined;
    const known = openSubject(sealer, row);
    if (canonicalJson(known.claims) !== newest) return undefined;
    return { key: known.key, claims: known.commitment };
  };

  const [row] = await file.read((db) => db.select().from(table).where(eq(table.lookup, lookup)));
  const found = upToDate(row);
  if (found !== undefined) return found;

  return file.write('full', async (tx) => {
    // Again, now that nobody else can write: another process may have met the same person.
    const { rows } = await tx.execute({
      sql: 'SELECT sealed FROM subject WHERE lookup = ?',
      args: [lookup],
    });
    const sealed = rows[0]?.['sealed'];
    const current =
      sealed instanceof ArrayBuffer ? { lookup, sealed: new Uint8Array(sealed) } : undefined;
    const raced = upToDate(current);
    if (raced !== undefined) return raced;

    const key = current === undefined ? randomBytes(32) : openSubject(sealer, current).key;
    const claimsSalt = randomBytes(32);
    const commitment = commitJson(claimsSalt, 'claims', claims);
    await tx.execute({
      sql: `INSERT INTO subject (lookup, owner, sealed) VALUES (?, ?, ?)
        ON CONFLICT (lookup) DO UPDATE SET sealed = excluded.sealed`,
      args: [
        lookup,
        sealer.owner(key),
        sealSubject(sealer, lookup, { key, person, claims, claimsSalt, commitment }),
      ],
    });
    // Entries of earlier sessions commit to earlier claims: each version stays an opening.
    const opening = { commitment, label: 'claims', salt: claimsSalt, value: claims } as const;
    await insertOpenings(tx, [sealOpening(sealer, { ...opening, subject: key })]);
    return { key: Uint8Array.from(key), claims: commitment };
  });
}

/** The person to whom a pseudonym's key belongs. */
export async function findSubject(
  file: VaultFile,
  sealer: Sealer,
  subjectKey: Uint8Array,
): Promise<KnownPerson | undefined> {
  const owner = Buffer.from(sealer.owner(subjectKey));
  const [row] = await file.read((db) => db.select().from(table).where(eq(table.owner, owner)));
  return row === undefined ? undefined : knownPerson(openSubject(sealer, row));
}

/** Everyone, in no telling order. */
export async function* allSubjects(file: VaultFile, sealer: Sealer): AsyncIterable<KnownPerson> {
  let after: Buffer = Buffer.alloc(0);
  for (;;) {
    const from = after;
    const rows = await file.read((db) =>
      db.select().from(table).where(gt(table.lookup, from)).orderBy(asc(table.lookup)).limit(PAGE),
    );
    for (const row of rows) {
      yield knownPerson(openSubject(sealer, row));
      after = row.lookup;
    }
    if (rows.length < PAGE) return;
  }
}

function lookupOf(sealer: Sealer, person: Actor): Buffer {
  return Buffer.from(sealer.lookup(JSON.stringify([person.iss, person.sub])));
}

function knownPerson({ key, person, claims, claimsSalt }: Known): KnownPerson {
  return { key, person, claims, claimsSalt };
}

function placeOf(lookup: Uint8Array): string {
  return `subject\n${toBase64url(lookup)}`;
}

function sealSubject(sealer: Sealer, lookup: Uint8Array, known: Known): Uint8Array {
  const { person, claims, commitment } = known;
  const text = canonicalJson({
    iss: person.iss,
    sub: person.sub,
    k: toBase64url(known.key),
    r: toBase64url(known.claimsSalt),
    claims,
    commitment,
  });
  return sealer.seal(placeOf(lookup), Buffer.from(text));
}

function openSubject(sealer: Sealer, row: SubjectRow): Known {
  const plain = sealer.open(placeOf(row.lookup), row.sealed);
  const value: unknown = JSON.parse(Buffer.from(plain).toString());
  if (typeof value !== 'object' || value === null) throw new CrumbError('vault_invalid');
  const members = new Map<string, unknown>(Object.entries(value));
  const text = (name: string): string => {
    const member = members.get(name);
    if (typeof member !== 'string') throw new CrumbError('vault_invalid');
    return member;
  };
  const bytes = (name: string): Uint8Array => {
    const member = fromBase64url(text(name));
    if (member?.length !== 32) throw new CrumbError('vault_invalid');
    return member;
  };
  return {
    key: bytes('k'),
    person: { iss: text('iss'), sub: text('sub') },
    claims: toJson(members.get('claims')),
    claimsSalt: bytes('r'),
    commitment: text('commitment'),
  };
}
