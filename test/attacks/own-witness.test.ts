/** Claim: witnesses that the operator runs himself make no ledger witnessed. */
import { describe, expect, it } from 'vitest';
import { testWitness } from '../evidence/receipt-world.ts';
import { audit, cosignHead, type AnchoredScene } from '../verify/anchor-world.ts';
import { anchoredStory } from './anchored-story.ts';

const north = testWitness('north.example/w', 21);
const south = testWitness('south.example/w', 22);
/** Three machines of one operator, who also runs the ledger. */
const own = [31, 32, 33].map((seed) => testWitness(`w${seed}.acme.example/w`, seed));

const line = ({ name, vkey }: (typeof own)[number]): string => `witness ${name} ${vkey}`;
const policy = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;

const INDEPENDENT = policy(
  line(north),
  line(south),
  `group two 2 ${north.name} ${south.name}`,
  'quorum two',
);
/** Counts machines. */
const NAIVE = policy(
  ...[north, south, ...own].map(line),
  `group three 3 ${[north, south, ...own].map(({ name }) => name).join(' ')}`,
  'quorum three',
);
/** Counts operators. */
const BY_OPERATOR = policy(
  ...[north, south, ...own].map(line),
  `group acme any ${own.map(({ name }) => name).join(' ')}`,
  `group two 2 acme ${north.name} ${south.name}`,
  'quorum two',
);

async function cosigned(by: readonly (typeof own)[number][]): Promise<AnchoredScene> {
  const scene = await anchoredStory();
  for (const witness of by) scene.receipts.push(await cosignHead(scene.builder, witness));
  return scene;
}

describe('a ledger that only its operator witnessed', () => {
  it('is witnessed for whoever counts machines: the attack is real', async () => {
    expect(await audit(await cosigned(own), { witnesses: NAIVE })).toMatchObject({
      level: 'witnessed',
      witnessed: { size: 12 },
    });
  });

  it('is not, for whoever counts operators', async () => {
    const report = await audit(await cosigned(own), { witnesses: BY_OPERATOR });
    expect(report).toMatchObject({ sound: true, level: 'signed', witnessed: null });
  });

  it('is not, for whoever names witnesses of others only, and is told that these are unknown', async () => {
    const report = await audit(await cosigned(own), { witnesses: INDEPENDENT });
    expect(report).toMatchObject({ sound: true, level: 'signed', witnessed: null });
    expect(report.counts).toMatchObject({ receipt_unknown_log: 3 });
  });

  it('is not, if one witness signs twice, or in the name of another', async () => {
    const twice = await audit(await cosigned([north, north]), { witnesses: INDEPENDENT });
    expect(twice).toMatchObject({ level: 'signed', witnessed: null });
    const impostor = testWitness(south.name, 99);
    const report = await audit(await cosigned([north, impostor]), { witnesses: INDEPENDENT });
    expect(report).toMatchObject({ level: 'signed', witnessed: null });
  });
});

it('a ledger that enough others witnessed is witnessed, whoever signed besides', async () => {
  const scene = await cosigned([north, south, ...own]);
  expect(await audit(scene, { witnesses: INDEPENDENT })).toMatchObject({
    level: 'witnessed',
    witnessed: { size: 12, operators: [north.name, south.name] },
  });
});
