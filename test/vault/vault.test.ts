import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toJson } from '../../src/attribution/canonical.ts';
import { commitBytes, commitJson, opensBytes, opensJson } from '../../src/evidence/commitment.ts';
import { openVault } from '../../src/vault/open-vault.ts';
import type { KnownPerson, Vault } from '../../src/vault/vault.ts';
import {
  ALICE,
  BOB,
  CLAIMS,
  KEY,
  newOpening,
  newVaultPath,
  rawClient,
  readAll,
  vaultAt,
} from './vault-files.ts';

async function everyone(vault: Vault): Promise<KnownPerson[]> {
  const all: KnownPerson[] = [];
  for await (const one of vault.subjects()) all.push(one);
  return all;
}

const withCode = (code: string): unknown => expect.objectContaining({ code });

describe('people', () => {
  it('gives one key to one person, and another to another', async () => {
    const vault = await vaultAt(newVaultPath());
    const first = await vault.subject(ALICE, CLAIMS);
    expect(await vault.subject(ALICE, CLAIMS)).toEqual(first);
    expect((await vault.subject(BOB, CLAIMS)).key).not.toEqual(first.key);
    expect((await vault.subject({ ...ALICE, iss: 'https://other.example' }, {})).key).not.toEqual(
      first.key,
    );
  });

  it('keeps them over a restart', async () => {
    const path = newVaultPath();
    const vault = await vaultAt(path);
    const subject = await vault.subject(ALICE, CLAIMS);
    await vault.close();
    const again = await vaultAt(path);
    expect(await again.subject(ALICE, CLAIMS)).toEqual(subject);
    expect(await again.findPerson(subject.key)).toEqual({ person: ALICE, claims: CLAIMS });
  });

  it('makes one subject of many concurrent logins', async () => {
    const vault = await vaultAt(newVaultPath());
    const subjects = await Promise.all(
      Array.from({ length: 20 }, () => vault.subject(ALICE, CLAIMS)),
    );
    expect(new Set(subjects.map(({ key }) => Buffer.from(key).toString('hex'))).size).toBe(1);
    expect(await everyone(vault)).toHaveLength(1);
  });

  it('keeps the key when claims change, and opens old and new claims', async () => {
    const vault = await vaultAt(newVaultPath());
    const before = await vault.subject(ALICE, CLAIMS);
    const after = await vault.subject(ALICE, { ...CLAIMS, email: 'a@example.net' });
    expect(after.key).toEqual(before.key);
    expect(after.claims).not.toBe(before.claims);
    for (const [commitment, email] of [
      [before.claims, 'alice@example.org'],
      [after.claims, 'a@example.net'],
    ] as const) {
      const opening = await vault.findOpening(commitment);
      expect(opening).toMatchObject({ label: 'claims', value: { email } });
      expect(
        opensJson(commitment, {
          label: 'claims',
          salt: opening?.salt ?? KEY,
          value: opening?.value ?? null,
        }),
      ).toBe(true);
    }
  });

  it('lists everyone with what opens their claims, page by page', async () => {
    const vault = await vaultAt(newVaultPath());
    for (let n = 0; n < 205; n++) await vault.subject({ iss: ALICE.iss, sub: `p${n}` }, { n });
    const all = await everyone(vault);
    expect(new Set(all.map(({ person }) => person.sub)).size).toBe(205);
    const one = all.find(({ person }) => person.sub === 'p77');
    const { claims } = await vault.subject({ iss: ALICE.iss, sub: 'p77' }, { n: 77 });
    expect(commitJson(one?.claimsSalt ?? KEY, 'claims', one?.claims ?? null)).toBe(claims);
  });

  it('knows nobody behind a key that it did not give', async () => {
    const vault = await vaultAt(newVaultPath());
    await vault.subject(ALICE, CLAIMS);
    expect(await vault.findPerson(randomBytes(32))).toBeUndefined();
  });
});

describe('openings, tokens and key sets', () => {
  it('gives back any JSON exactly, also odd member names', async () => {
    const vault = await vaultAt(newVaultPath());
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const json = toJson(value);
        const opening = newOpening(json);
        await vault.keep({ openings: [opening] });
        const found = await vault.findOpening(opening.commitment);
        expect(
          opensJson(opening.commitment, {
            label: 'args',
            salt: opening.salt,
            value: found?.value ?? null,
          }),
        ).toBe(true);
      }),
      { numRuns: 60 },
    );
    const odd = newOpening(toJson(JSON.parse('{"__proto__":{"a":1},"constructor":null}')));
    await vault.keep({ openings: [odd] });
    expect(JSON.stringify((await vault.findOpening(odd.commitment))?.value)).toBe(
      '{"__proto__":{"a":1},"constructor":null}',
    );
  });

  it('keeps only the salt where there is no value', async () => {
    const vault = await vaultAt(newVaultPath());
    const opening = newOpening(undefined);
    await vault.keep({ openings: [opening] });
    expect(await vault.findOpening(opening.commitment)).toEqual(opening);
  });

  it('keeps a token byte for byte, and opens its commitment', async () => {
    const vault = await vaultAt(newVaultPath());
    const salt = Uint8Array.from(randomBytes(32));
    const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln';
    const commitment = commitBytes(salt, 'token', Buffer.from(jwt));
    await vault.keep({ tokens: [{ commitment, salt, jwt }] });
    const found = await vault.findToken(commitment);
    expect(found).toEqual({ commitment, salt, jwt });
    expect(opensBytes(commitment, { label: 'token', salt, bytes: Buffer.from(jwt) })).toBe(true);
    expect(await vault.findOpening(commitment)).toBeUndefined();
  });

  it('keeps a key set by the hash of its bytes, once', async () => {
    const vault = await vaultAt(newVaultPath());
    const raw = Buffer.from('{ "keys": [] }\n');
    const digest = await vault.keepKeySet('https://idp.example', raw);
    expect(await vault.keepKeySet('https://idp.example', raw)).toEqual(digest);
    expect(await vault.findKeySet(digest)).toEqual({
      iss: 'https://idp.example',
      raw: Uint8Array.from(raw),
    });
    expect(await vault.findKeySet(new Uint8Array(32))).toBeUndefined();
  });

  it('finds many at once, whatever they are, and leaves out what it has not', async () => {
    const vault = await vaultAt(newVaultPath());
    const salt = Uint8Array.from(randomBytes(32));
    const token = commitBytes(salt, 'token', Buffer.from('jwt'));
    const openings = [newOpening({ id: 1 }), newOpening(undefined)];
    await vault.keep({ openings, tokens: [{ commitment: token, salt, jwt: 'jwt' }] });
    const unknown = newOpening(3).commitment;
    const asked = [...openings.map(({ commitment }) => commitment), token, unknown];
    const found = await vault.findOpenings(asked);
    const byCommitment = new Map<string, unknown>(found.map((one) => [one.commitment, one]));
    expect(byCommitment.size).toBe(3);
    for (const one of openings) expect(byCommitment.get(one.commitment)).toEqual(one);
    expect(byCommitment.get(token)).toEqual({
      commitment: token,
      label: 'token',
      salt,
      value: 'jwt',
    });
  });

  it('takes the same opening twice', async () => {
    const vault = await vaultAt(newVaultPath());
    const opening = newOpening({ id: 1 });
    await vault.keep({ openings: [opening] });
    await vault.keep({ openings: [opening, opening] });
    expect(await vault.findOpening(opening.commitment)).toEqual(opening);
  });

  it('finds every one of thousands kept at once', async () => {
    const vault = await vaultAt(newVaultPath());
    const openings = Array.from({ length: 2000 }, (_, n) => newOpening({ n }));
    await Promise.all(openings.map((one) => vault.keep({ openings: [one] })));
    for (const one of [openings[0], openings[999], openings[1999]]) {
      expect(await vault.findOpening(one?.commitment ?? '')).toEqual(one);
    }
  });

  it.each([
    ['a short salt', { salt: new Uint8Array(31) }],
    ['a long salt', { salt: new Uint8Array(64) }],
    ['something that is no commitment', { commitment: 'h1.short' }],
  ])('refuses %s', async (_what, wrong) => {
    const vault = await vaultAt(newVaultPath());
    await expect(vault.keep({ openings: [{ ...newOpening(1), ...wrong }] })).rejects.toThrow(
      TypeError,
    );
  });

  it('is closed after close, which writes what was queued', async () => {
    const path = newVaultPath();
    const vault = await vaultAt(path);
    const opening = newOpening({ late: true });
    const kept = vault.keep({ openings: [opening] });
    await vault.close();
    await kept;
    await expect(vault.keep({ openings: [opening] })).rejects.toThrow(withCode('vault_closed'));
    expect(await (await vaultAt(path)).findOpening(opening.commitment)).toEqual(opening);
  });
});

describe('the seal', () => {
  it('does not open with another key', async () => {
    const path = newVaultPath();
    await (await vaultAt(path)).close();
    const key = Uint8Array.from(KEY, (byte, n) => (n === 31 ? byte ^ 1 : byte));
    await expect(openVault({ url: `file:${path}`, key })).rejects.toThrow(
      withCode('vault_key_wrong'),
    );
    await vaultAt(path);
  });

  it('takes keys of 32 bytes only', async () => {
    await expect(
      openVault({ url: `file:${newVaultPath()}`, key: new Uint8Array(16) }),
    ).rejects.toThrow(TypeError);
  });

  it('notices a person row put into the place of another', async () => {
    const path = newVaultPath();
    const vault = await vaultAt(path);
    const alice = await vault.subject(ALICE, CLAIMS);
    await vault.subject(BOB, {});
    const raw = rawClient(path);
    const rows = (await raw.execute('SELECT lookup, sealed FROM subject')).rows;
    const [a, b] = [rows[0], rows[1]];
    await raw.execute({
      sql: 'UPDATE subject SET sealed = ? WHERE lookup = ?',
      args: [a?.['sealed'] ?? null, b?.['lookup'] ?? null],
    });
    await raw.execute({
      sql: 'UPDATE subject SET sealed = ? WHERE lookup = ?',
      args: [b?.['sealed'] ?? null, a?.['lookup'] ?? null],
    });
    await expect(vault.findPerson(alice.key)).rejects.toThrow(withCode('vault_invalid'));
    await expect(vault.subject(ALICE, CLAIMS)).rejects.toThrow(withCode('vault_invalid'));
  });

  it.each([
    ['commitment', 'UPDATE opening SET commitment = CASE id WHEN 1 THEN ?1 ELSE ?2 END'],
    [
      'sealed value',
      'UPDATE opening SET sealed = (SELECT o.sealed FROM opening o WHERE o.id <> opening.id)',
    ],
    ['owner', 'UPDATE opening SET owner = zeroblob(32)'],
    ['label', "UPDATE opening SET label = 'result'"],
    [
      'byte',
      "UPDATE opening SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB)",
    ],
  ])('notices an opening whose %s was exchanged', async (_what, sql) => {
    const path = newVaultPath();
    const vault = await vaultAt(path);
    const [one, two] = [newOpening({ id: 42 }), newOpening({ id: 43 })];
    await vault.keep({ openings: [one, two] });
    const raw = rawClient(path);
    if (sql.includes('?1')) {
      await raw.execute("UPDATE opening SET commitment = 'x' || id");
      await raw.execute({ sql, args: [two.commitment, one.commitment] });
    } else {
      await raw.execute(sql);
    }
    await expect(vault.findOpening(one.commitment)).rejects.toThrow(withCode('vault_invalid'));
  });

  it('leaves nothing in the file that a reader could use', async () => {
    const path = newVaultPath();
    const vault = await vaultAt(path);
    const { key } = await vault.subject(ALICE, CLAIMS);
    const opening = newOpening({ secret: 'CANARY-ARGUMENT' }, key);
    const salt = Uint8Array.from(randomBytes(32));
    const commitment = commitBytes(salt, 'token', Buffer.from('CANARY-TOKEN'));
    await vault.keep({
      openings: [opening],
      tokens: [{ commitment, salt, jwt: 'CANARY-TOKEN', subject: key }],
    });
    await vault.close();
    const bytes = readAll(path);
    for (const secret of [
      key,
      opening.salt,
      salt,
      'CANARY',
      'Alice',
      'alice@',
      'idp.example',
      KEY,
    ]) {
      expect(bytes.includes(Buffer.from(secret))).toBe(false);
    }
    expect(inspect(vault, { depth: 9, showHidden: true })).not.toContain('Alice');
  });

  it('refuses a database that is something else, and leaves it alone', async () => {
    const path = newVaultPath();
    const raw = rawClient(path);
    await raw.execute('CREATE TABLE entry (seq INTEGER PRIMARY KEY)');
    await expect(openVault({ url: `file:${path}`, key: KEY })).rejects.toThrow(
      withCode('vault_invalid'),
    );
    expect(
      (await raw.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")).rows,
    ).toHaveLength(1);
  });

  it.each([
    ['a file that is no database', (path: string) => writeFileSync(path, 'x'.repeat(5000))],
    ['a folder that is not there', () => undefined],
  ])('says that it cannot use %s', async (what, prepare) => {
    const path = newVaultPath();
    prepare(path);
    const url = `file:${what.startsWith('a folder') ? `${path}/no/vault.db` : path}`;
    await expect(openVault({ url, key: KEY })).rejects.toThrow(withCode('vault_unwritable'));
  });
});
