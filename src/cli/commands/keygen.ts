/**
 * `crumb keygen`: one key, safely on disk.
 *
 * @module
 */
import { resolve } from 'node:path';
import { CrumbError } from '../../errors.ts';
import { visible } from '../../evidence/visible.ts';
import { usage } from '../arguments.ts';
import { defineCommand, EXIT } from '../command.ts';
import { shown, writeNew } from '../files.ts';
import { createKey, KEY_KINDS, type FreshKey, type KeyKind } from '../keys.ts';
import type { Style } from '../terminal/style.ts';
import type { Answer } from '../terminal/terminal.ts';

const USE: Readonly<Record<KeyKind, string>> = {
  signing: 'Give it as `ledger.signingKey`. Keep a copy offline: a ledger is bound to its key.',
  agent: 'Give it as the `key` of a client or agent, and register the public half there.',
  vault: 'Give it as `vault.key`. Without it nobody can name a person or open an argument again.',
  approval: 'Give it as `approvalKey`. It seals what a human is asked to approve.',
};

export const keygen = defineCommand({
  name: 'keygen',
  summary: 'make a key: signing, agent, vault or approval',
  about: [
    'Makes one key and writes it to a file that only you can read. An existing file is never overwritten.',
    'signing: Ed25519, signs the tree heads of a ledger. agent: ECDSA P-256, authenticates an agent or application at the identity provider. vault: 32 random bytes that seal identities and arguments. approval: 32 random bytes that bind approvals to a call. Keep each apart from the others: whoever holds one should not thereby hold the next.',
  ],
  operands: [{ name: 'KIND', help: `one of ${KEY_KINDS.join(', ')}` }],
  options: {
    out: {
      kind: 'text',
      short: 'o',
      value: 'FILE',
      help: 'where to write it (default: crumb-KIND.pem or .key here)',
    },
    origin: {
      kind: 'text',
      value: 'NAME',
      help: 'name of the ledger, such as acme.example/crumb; prints the key to verify it with',
    },
  },
  examples: [
    {
      line: 'crumb keygen signing --origin acme.example/crumb',
      shows: 'a signing key, and the vkey that auditors pin',
    },
    {
      line: 'crumb keygen agent --out keys/planner.pem --json',
      shows: 'an agent key; its public JWK is what the identity provider registers',
    },
  ],
  async run({ options, operands }, terminal) {
    const kind = KEY_KINDS.find((one) => one === operands[0]);
    if (kind === undefined) throw usage(`KIND is one of ${KEY_KINDS.join(', ')}`);
    if (options.origin !== undefined && kind !== 'signing') {
      throw usage('--origin belongs to a signing key');
    }
    const key = createKey(kind, options.origin);
    const path = resolve(terminal.cwd, options.out ?? defaultName(kind));
    const file = shown(path, terminal.cwd);
    if (!writeNew({ path, text: key.secret, secret: true })) {
      throw new CrumbError('file_exists', { names: [visible(file)] });
    }
    terminal.print(answer(key, file, terminal.style));
    return EXIT.ok;
  },
});

function defaultName(kind: KeyKind): string {
  return `crumb-${kind}.${kind === 'signing' || kind === 'agent' ? 'pem' : 'key'}`;
}

function answer({ kind, vkey, jwk }: FreshKey, file: string, style: Style): Answer {
  return {
    facts: { kind, file, vkey: vkey ?? null, jwk: jwk === undefined ? null : { ...jwk } },
    text: () => [
      `${style.green('made')} ${visible(file)}: ${kind} key, readable by you alone`,
      USE[kind],
      ...(vkey === undefined ? [] : ['', style.bold('To verify the ledger with'), vkey]),
      ...(jwk === undefined || kind === 'signing'
        ? []
        : ['', style.bold('To register'), JSON.stringify(jwk)]),
    ],
  };
}
