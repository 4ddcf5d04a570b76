/**
 * A process that writes to a vault and says on standard output what was acknowledged, so that a test
 * can kill it: `node writer-process.ts PATH subject|keep|erase`.
 */
import { commitJson } from '../../src/evidence/commitment.ts';
import { openVault } from '../../src/vault/open-vault.ts';

const [path = '', task] = process.argv.slice(2);
const key = new Uint8Array(32).fill(7);
const vault = await openVault({ url: `file:${path}`, key });
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

if (task === 'subject') {
  for (let n = 0; n < 20; n++) {
    const { key: k } = await vault.subject(
      { iss: 'https://idp.example', sub: `person-${n}` },
      { n },
    );
    say(`${n} ${Buffer.from(k).toString('hex')}`);
  }
  await vault.close();
} else if (task === 'keep') {
  for (let n = 0; ; n++) {
    const salt = crypto.getRandomValues(new Uint8Array(32));
    const commitment = commitJson(salt, 'args', { n });
    await vault.keep({ openings: [{ commitment, label: 'args', salt, value: { n } }] });
    say(commitment);
  }
} else {
  const subjectKey = Buffer.from(process.argv[4] ?? '', 'hex');
  say('erasing');
  await vault.erase(subjectKey, ['identity', 'tokens', 'openings']);
  say('erased');
}
