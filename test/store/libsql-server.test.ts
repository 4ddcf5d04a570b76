import { expect, it, onTestFinished } from 'vitest';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createSigner } from '../../src/ledger/signer.ts';
import { openGuard } from '../../src/store/libsql/libsql-guard.ts';
import { openLibsqlStore } from '../../src/store/libsql/libsql-store.ts';
import {
  auditRows,
  KEY,
  openAt,
  ORIGIN,
  outcome,
  rowsAt,
  temporaryPlace,
  type Place,
} from '../ledger/fixtures.ts';
import { describeStore } from './contract.ts';
import { startHranaServer, type HranaServer } from './hrana-server.ts';

interface Served {
  readonly server: HranaServer;
  readonly place: Place;
}

async function serve(): Promise<Served> {
  const place = temporaryPlace();
  const server = await startHranaServer(place.path);
  onTestFinished(() => server.close());
  return { server, place };
}

describeStore('a libSQL server', async () => {
  const { server } = await serve();
  return () => openLibsqlStore({ url: server.url });
});

it('keeps a ledger on a server, and its guard on another', async () => {
  const { server, place } = await serve();
  const guard = (await serve()).server.url;
  const options = { guard, writer: 'inline' } as const;
  const first = await openAt(server, options);
  await Promise.all(Array.from({ length: 300 }, (_, n) => first.append([outcome(n)])));
  await first.close();
  const again = await openAt(server, options);
  expect(again.opened).toMatchObject({ created: false, size: 301, unpublished: 0 });
  await again.append([outcome(1)]);
  expect(await auditRows(await rowsAt(server), again.vkey)).toHaveLength(302);
  expect(await auditRows(await rowsAt(place), again.vkey)).toHaveLength(302);
});

it.each(['before', 'after'] as const)(
  'finds out what became of a commit whose answer was lost: the connection broke %s it',
  async (when) => {
    const { server } = await serve();
    const ledger = await open(server);
    await ledger.append([outcome(0)]);
    let left = 2;
    server.onCommit = (now) => {
      if (now === when && left-- > 0) throw new Error('gone');
    };
    const results = await Promise.all([ledger.append([outcome(1)]), ledger.append([outcome(2)])]);
    expect(results.map(({ entries }) => entries[0]?.seq)).toEqual([2, 3]);
    await ledger.append([outcome(3)]);
    expect(await auditRows(await rowsAt(server), ledger.vkey)).toHaveLength(5);
  },
);

it('takes a use once even if the answer to its commit was lost', async () => {
  const { server } = await serve();
  const ledger = await open(server);
  let left = 1;
  server.onCommit = (now) => {
    if (now === 'after' && left-- > 0) throw new Error('gone');
  };
  const spend = { key: new Uint8Array(32), max: 1, otherwise: [outcome(999)] };
  expect(await ledger.append([outcome(1)], { spend })).toMatchObject({ spent: true });
  expect(await ledger.append([outcome(2)], { spend })).toMatchObject({ spent: false });
});

it('says that it cannot write when the server is gone, and has written nothing', async () => {
  const { server, place } = await serve();
  const ledger = await open(server);
  await ledger.append([outcome(1)]);
  await server.close();
  await expect(ledger.append([outcome(2)])).rejects.toMatchObject({ code: 'ledger_unwritable' });
  expect(await rowsAt(place)).toHaveLength(2);
});

it('says that a server cannot be reached', async () => {
  const { server } = await serve();
  await server.close();
  await expect(openLibsqlStore({ url: server.url })).rejects.toMatchObject({
    code: 'ledger_unwritable',
  });
  await expect(openGuard({ guard: server.url })).rejects.toMatchObject({
    code: 'ledger_unwritable',
  });
});

async function open({ url }: { readonly url: string }): Promise<Ledger> {
  const store = await openLibsqlStore({ url });
  const ledger = await openLedger({ store, origin: ORIGIN, signer: createSigner(KEY) });
  onTestFinished(() => ledger.close().catch(() => {}));
  return ledger;
}
