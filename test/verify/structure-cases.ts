/** Corruptions of files, entries, heads and keys. */
import { fromBase64url, toBase64url, utf8 } from '../../src/evidence/bytes.ts';
import { checkpointText } from '../../src/evidence/checkpoint.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import { signNote, vkeyOf } from '../../src/evidence/note.ts';
import type { Finding } from '../../src/verify/findings.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import {
  add,
  addBytes,
  commit,
  createBuilder,
  createIssuer,
  itemsOf,
  linesOf,
  ORIGIN,
  sealLines,
  vkeyOfBuilder,
  type Builder,
} from './build-ledger.ts';
import { finds, findsIn, tamper, verify, verifyLines } from './finding-cases.ts';
import { addKeySet, attempt, logIn, outcome, tellStory } from './story.ts';

// The file
{
  const damaged = (
    line: number,
    what: Extract<Finding, { code: 'bundle_damaged' }>['what'],
  ): Finding => ({
    code: 'bundle_damaged',
    line,
    what,
  });
  const changed = (change: (lines: string[]) => string[]) => async (): Promise<VerifyReport> => {
    const { builder } = await logIn();
    return verifyLines(change(await linesOf(builder)), builder);
  };
  finds(
    'something that is no bundle',
    damaged(1, 'no_header'),
    changed(() => ['{"hello":1}']),
  );
  finds(
    'a line of another kind',
    damaged(2, 'malformed_line'),
    changed(([head = '', ...rest]) => sealLines([head, '{"t":"x"}', ...rest])),
  );
  finds(
    'white space',
    damaged(2, 'malformed_line'),
    changed(([head = '', first = '', ...rest]) => sealLines([head, `${first} `, ...rest])),
  );
  finds(
    'a line that is too long',
    damaged(2, 'line_too_long'),
    changed(([head = '', ...rest]) => [head, `"${'x'.repeat(524_300)}"`, ...rest]),
  );
  finds(
    'a second header',
    damaged(2, 'misplaced_line'),
    changed(([head = '', ...rest]) => sealLines([head, head, ...rest])),
  );
  finds(
    'a file that ends too early',
    damaged(4, 'cut_off'),
    changed((lines) => lines.slice(0, 4)),
  );
  finds(
    'a line that is gone',
    damaged(9, 'digest'),
    changed((lines) => lines.toSpliced(-2, 1)),
  );
  finds(
    'a line after the end',
    damaged(11, 'misplaced_line'),
    changed((lines) => [...lines, '{}']),
  );
  finds(
    'a key set that nobody committed to',
    damaged(3, 'misplaced_line'),
    changed(([head = '', ...rest]) =>
      sealLines([head, '{"iss":"https://x.example","raw":"{}","t":"jwks"}', ...rest]),
    ),
  );
}

// Entries and their order
{
  finds('bytes that are no entry', { code: 'entry_malformed', seq: 3 }, async () => {
    const { builder } = await tellStory();
    tamper(builder, 3, (text) => text.replace('"authorized"', '"autorized"'));
    return verify(builder);
  });
  finds('another spelling of the same JSON', { code: 'entry_malformed', seq: 4 }, async () => {
    const { builder } = await tellStory();
    tamper(builder, 4, (text) => text.replace('{"body"', '{ "body"'));
    return verify(builder);
  });
  finds('a byte order mark', { code: 'entry_malformed', seq: 4 }, async () => {
    const { builder } = await tellStory();
    tamper(builder, 4, (text) => `\uFEFF${text}`);
    return verifyLines(await linesOf(builder), builder);
  });
  finds(
    'a ledger that does not begin with genesis',
    { code: 'entry_malformed', seq: 0 },
    async () => {
      const builder = createBuilder();
      addKeySet(builder, await createIssuer());
      await commit(builder);
      return verify(builder);
    },
  );
  finds('a row that is gone', { code: 'entry_order', seq: 5, found: 6 }, async () => {
    const { builder } = await tellStory();
    builder.rows.splice(5, 1);
    return verify(builder);
  });
  finds('rows that changed places', { code: 'entry_order', seq: 5, found: 6 }, async () => {
    const { builder } = await tellStory();
    const [five, six] = builder.rows.slice(5, 7);
    if (five !== undefined && six !== undefined) builder.rows.splice(5, 2, six, five);
    return verify(builder);
  });
  finds(
    'a changed row, named by what the database keeps beside it',
    { code: 'chain_broken', seq: 8, what: 'stored' },
    async () => {
      const { builder } = await tellStory();
      tamper(builder, 8, (text) => text.replace('"unauthorized"', '"authorized"'));
      return verify(builder);
    },
  );
  finds(
    'a changed row in a file, named by its successor',
    { code: 'chain_broken', seq: 9, what: 'prev' },
    async () => {
      const { builder } = await tellStory();
      tamper(builder, 8, (text) => text.replace('"unauthorized"', '"authorized"'));
      return verifyLines(await linesOf(builder), builder);
    },
  );
  finds(
    'an entry of a kind that nobody knows',
    { code: 'entry_unknown_kind', seq: 3, kind: 'dream' },
    async () => {
      const { builder } = await logIn();
      const prev = toBase64url(builder.rows.at(-1)?.leaf ?? new Uint8Array());
      const time = new Date(builder.now).toISOString();
      addBytes(
        builder,
        utf8(
          `{"body":{"of":"sheep"},"kind":"dream","prev":"${prev}","seq":3,"time":"${time}","v":"crumb/1"}`,
        ),
      );
      await commit(builder);
      return verify(builder);
    },
  );
  findsIn('a clock that went back', { code: 'time_backwards', seq: 3 }, async (scene) => {
    scene.builder.now -= 5000;
    add(scene.builder, 'intent', await attempt(scene));
  });
  finds(
    'an entry whose bytes are gone, as a prune entry says',
    { code: 'pruned_by_policy', from: 4, size: 5 },
    async () => {
      const { builder } = await tellStory();
      const row = builder.rows[4];
      add(builder, 'prune', {
        start: 4,
        end: 5,
        root: toBase64url(row?.leaf ?? new Uint8Array()),
        policy: 'p1',
      });
      await commit(builder);
      if (row !== undefined) builder.rows[4] = { ...row, bytes: null };
      return verify(builder);
    },
  );
  finds(
    'an entry whose bytes are gone for no reason',
    { code: 'entry_malformed', seq: 4 },
    async () => {
      const { builder } = await tellStory();
      const row = builder.rows[4];
      if (row !== undefined) builder.rows[4] = { ...row, bytes: null };
      return verify(builder);
    },
  );
}

// Heads, checkpoints and keys
{
  const signature = (builder: Builder, seq: number): void => {
    const row = builder.rows[seq];
    if (row?.head)
      builder.rows[seq] = { ...row, head: row.head.map((byte, n) => (n === 9 ? byte ^ 1 : byte)) };
  };
  finds(
    'the last signature changed',
    { code: 'head_invalid', size: 17, what: 'signature' },
    async () => {
      const { builder } = await tellStory();
      signature(builder, 16);
      return verify(builder);
    },
  );
  finds(
    'any signature changed, on the full path',
    { code: 'head_invalid', size: 5, what: 'signature' },
    async () => {
      const { builder } = await tellStory();
      signature(builder, 4);
      return verifyBundle(await itemsOf(builder), { key: vkeyOfBuilder(builder) }, { full: true });
    },
  );
  finds(
    'entries after the last signature',
    { code: 'head_invalid', size: 4, what: 'missing' },
    async () => {
      const scene = await logIn();
      add(scene.builder, 'intent', await attempt(scene));
      return verify(scene.builder);
    },
  );
  finds(
    'a head in the wrong place',
    { code: 'head_invalid', size: 1, what: 'misplaced' },
    async () => {
      const { builder } = await logIn();
      const lines = await linesOf(builder);
      const head = lines.findIndex((line) => line.startsWith('{"signature"'));
      return verifyLines(sealLines(lines.toSpliced(head + 2, 0, lines[head] ?? '')), builder);
    },
  );
  finds('a checkpoint of another key', { code: 'checkpoint_invalid', size: 3 }, async () => {
    const { builder } = await logIn();
    const text = checkpointText({ origin: ORIGIN, size: 3, root: new Uint8Array(32) });
    const note = await signNote(text, ORIGIN, ed25519Signer(new Uint8Array(32).fill(8)));
    builder.checkpoints.push({ size: 3, note });
    return verify(builder);
  });
  finds(
    'a ledger that was rewritten and signed anew below a kept checkpoint',
    { code: 'root_mismatch', size: 9 },
    async () => {
      const { builder } = await tellStory();
      const [published] = builder.checkpoints;
      const forged = (await tellStory()).builder; // another history under the same key
      return verifyBundle(await itemsOf(forged), {
        key: vkeyOfBuilder(builder),
        heads: [published?.note ?? ''],
      });
    },
  );
  finds(
    'a published checkpoint of another history',
    { code: 'root_mismatch', size: 9 },
    async () => {
      const [{ builder }, forged] = [await tellStory(), (await tellStory()).builder];
      forged.checkpoints.splice(0, 1, ...builder.checkpoints.slice(0, 1));
      return verify(forged);
    },
  );
  finds(
    'a ledger whose end was cut off, below a checkpoint',
    { code: 'size_beyond_entries', size: 17, entries: 9 },
    async () => {
      const { builder } = await tellStory();
      builder.rows.splice(9);
      return verify(builder);
    },
  );
  finds('two signed heads of one size', { code: 'checkpoints_inconsistent', size: 9 }, async () => {
    const [{ builder }, forged] = [await tellStory(), (await tellStory()).builder];
    const heads = forged.checkpoints.slice(0, 1).map(({ note }) => note);
    return verify(builder, { heads });
  });
  finds(
    'another key than the reader trusts',
    { code: 'key_unknown', what: 'pinned', seq: 0 },
    async () => {
      const { builder } = await logIn();
      const other = vkeyOf(ORIGIN, ed25519Signer(new Uint8Array(32).fill(8)).publicKey);
      return verify(builder, { key: other });
    },
  );
  finds(
    'another ledger than was asked for',
    { code: 'key_unknown', what: 'origin', seq: 0 },
    async () => verify((await logIn()).builder, { origin: 'other.example/crumb' }),
  );
  finds(
    'no key from the reader',
    {
      code: 'key_not_confirmed',
      vkey: vkeyOf(ORIGIN, ed25519Signer(new Uint8Array(32).fill(1)).publicKey),
    },
    async () => verifyBundle(await itemsOf((await logIn()).builder)),
  );
  finds(
    'a new key that nobody handed over to',
    { code: 'key_unknown', what: 'proof', seq: 3 },
    async () => {
      const { builder } = await logIn();
      add(builder, 'key', rotation(8, 'A'.repeat(86)));
      await commit(builder);
      return verify(builder);
    },
  );
  finds('a head under a key that was revoked', { code: 'key_revoked', size: 6 }, async () => {
    const scene = await logIn();
    const { builder } = scene;
    add(builder, 'key', {
      role: 'ledger',
      op: 'revoke',
      key: vkeyOfBuilder(builder),
      proof: null,
      since: null,
      reason: null,
    });
    await commit(builder);
    add(builder, 'intent', await attempt(scene));
    await outcome(builder, 4);
    return verify(builder);
  });
  finds(
    'what was signed while the key was in other hands',
    { code: 'key_compromised_window', from: 0, size: 4 },
    async () => {
      const { builder } = await logIn();
      const since = new Date(builder.now - 1000).toISOString();
      add(builder, 'key', {
        role: 'ledger',
        op: 'revoke',
        key: vkeyOfBuilder(builder),
        proof: null,
        since,
        reason: 'stolen',
      });
      await commit(builder);
      return verify(builder);
    },
  );
  finds('crumbs that no anchor covers', { code: 'tail_uncovered', from: 0, size: 3 }, async () =>
    verify((await logIn()).builder),
  );
}

// What was not given whole
{
  finds('a selection', { code: 'selection_only', from: 0 }, async () => {
    const { builder } = await logIn();
    const [head, ...rest] = await itemsOf(builder);
    if (head?.t !== 'bundle') throw new TypeError('no header');
    const root = fromBase64url('A'.repeat(43)) ?? null;
    return verifyBundle([{ ...head, mode: 'selection', root }, ...rest.slice(0, 0)]);
  });
}

function rotation(seed: number, proof: string): Parameters<typeof add<'key'>>[2] {
  const key = vkeyOf(ORIGIN, ed25519Signer(new Uint8Array(32).fill(seed)).publicKey);
  return { role: 'ledger', op: 'add', key, proof, since: null, reason: null };
}
