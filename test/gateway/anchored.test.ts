import { expect, it } from 'vitest';
import { rekor } from '../../src/anchor/rekor.ts';
import { witness } from '../../src/anchor/witness.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import { vkeyOf } from '../../src/evidence/note.ts';
import { devLog, devWitness } from '../dev/log-world.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { openWorld, ORIGIN, READ_42, RECORDS } from '../world.ts';

const FREE = { ...READ_42, max_uses: undefined };

it('has an intent witnessed before the tool runs, where its resource asks for it', async () => {
  const signingKey = ed25519Signer(new Uint8Array(32).fill(7));
  const log = await devLog();
  const watching = await devWitness({ logs: [vkeyOf(ORIGIN, signingKey.publicKey)] });
  const anchors = [
    rekor({ trust: log.trustRoot, version: 2, url: log.url, timestamp: { url: log.timestampUrl } }),
    witness({ policy: watching.policy }),
  ];
  await using world = await openWorld({
    crumb: { anchors, ledger: { signingKey } },
    tools: { pay: { resource: RECORDS, action: 'read_record', until: 'witnessed' } },
  });
  const planner = (await world.loginAs('alice', [FREE])).agent('planner');
  const before = await planner.invoke({ tool: 'pay', args: { id: 42 } }, async () =>
    world.crumbsOf('anchor'),
  );
  const [intent] = await world.crumbsOf('intent');
  expect(before.some(({ body }) => body.type === 'witness' && body.size > (intent?.seq ?? 0))).toBe(
    true,
  );
  const [genesis] = await world.crumbsOf('genesis');
  expect(genesis?.body.anchorKey).not.toBeNull();
  expect(genesis?.body.policy.anchor?.require).toEqual(['rekor', 'witness']);

  const outcomes = await world.crumb.anchor();
  expect(outcomes.map(({ type, error }) => [type, error])).toEqual([
    ['rekor', undefined],
    ['witness', undefined],
  ]);
  const trust = {
    key: world.crumb.ledger.vkey,
    roots: [log.trustRoot],
    witnesses: watching.policy,
    allowDevelopment: true,
  };
  const report = await verifyBundle(world.crumb.bundle(), trust);
  expect(report.findings).toEqual([]);
  expect(report.level).toBe('witnessed');
  const stranger = await verifyBundle(world.crumb.bundle(), { key: trust.key });
  expect(stranger.level).toBe('signed'); // who trusts no log and no witness takes neither's word
});

it('does not run such a call where there is no anchor, and says so', async () => {
  await using world = await openWorld({
    tools: { pay: { resource: RECORDS, action: 'read_record', until: 'anchored' } },
  });
  const planner = (await world.loginAs('alice', [FREE])).agent('planner');
  let ran = false;
  const call = planner.invoke({ tool: 'pay', args: { id: 42 } }, () => (ran = true));
  await expect(call).rejects.toMatchObject({ code: 'config_invalid' });
  expect(ran).toBe(false);
  expect((await world.crumbsOf('outcome'))[0]?.body).toMatchObject({
    status: 'error',
    error: 'config_invalid',
  });
});
