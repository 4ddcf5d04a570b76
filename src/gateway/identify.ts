/**
 * Putting a name to a pseudonym. It is recorded before the name is given: no entry, no name.
 *
 * @module
 */
import type { Actor } from '../attribution/act-chain.ts';
import type { Json } from '../attribution/tool-call.ts';
import type { Pseudonym } from '../evidence/kinds.ts';
import { pseudonymOf } from '../evidence/pseudonym.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Vault } from '../vault/vault.ts';

/** Who stands behind a pseudonym, as the identity provider said. */
export interface NamedPerson {
  readonly person: Actor;
  /** Identity claims of the newest login. */
  readonly claims: Json;
}

/**
 * Names a person, after recording that it was done and why.
 *
 * @param purpose A code for why, at most 64 characters; no free text about the person.
 * @returns undefined if the vault knows nobody by that pseudonym, or the person was erased.
 * @throws {CrumbError} What the ledger throws: then nobody is named. `vault_unwritable`.
 */
export async function identify(
  { ledger, vault }: { readonly ledger: Ledger; readonly vault: Vault },
  human: Pseudonym,
  purpose: string,
): Promise<NamedPerson | undefined> {
  await ledger.append([
    {
      kind: 'observed',
      body: {
        source: 'vault',
        session: null,
        human,
        chain: [],
        call: null,
        verdict: null,
        result: null,
        purpose,
        by: null,
      },
    },
  ]);
  for await (const { key, person, claims } of vault.subjects()) {
    if (pseudonymOf(key, ledger.origin, '0') === human) return { person, claims };
  }
  return undefined;
}
