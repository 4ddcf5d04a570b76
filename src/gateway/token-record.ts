/**
 * A delegation token as the ledger records it, and as the vault keeps it.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { utf8 } from '../evidence/bytes.ts';
import { commitBytes } from '../evidence/commitment.ts';
import type { TokenRecord } from '../evidence/kinds.ts';
import { jwtOf, type IssuedToken } from '../exchange/exchange.ts';
import type { Vault } from '../vault/vault.ts';
import type { Login } from './login.ts';

/** Without the place of the issuer's key set, which only an append knows. */
export type TokenDescription = Omit<TokenRecord, 'jwks'>;

/** One commitment for each token: calls that share it are seen to share it by its `exp` anyway. */
const kept = new WeakMap<IssuedToken, Promise<TokenDescription>>();

/**
 * Keeps a token in the vault, once, and describes it.
 *
 * @throws {CrumbError} `vault_unwritable`; the next call tries again.
 */
export async function keepToken(
  vault: Vault,
  issued: IssuedToken,
  login: Login,
): Promise<TokenDescription> {
  const known = kept.get(issued);
  if (known !== undefined) return known;
  const keeping = keepNewToken(vault, issued, login);
  kept.set(issued, keeping);
  return keeping.catch((error: unknown) => {
    kept.delete(issued);
    throw error;
  });
}

async function keepNewToken(
  vault: Vault,
  issued: IssuedToken,
  login: Login,
): Promise<TokenDescription> {
  const jwt = jwtOf(issued);
  const salt = randomBytes(32);
  const commitment = commitBytes(salt, 'token', utf8(jwt));
  await vault.keep({ tokens: [{ commitment, salt, jwt, subject: login.subject.key }] });
  const { iss, profile, nesting, kid, aud, scope, exp, txn } = issued;
  return { iss, profile, nesting, kid, aud, scope, exp: exp.toISOString(), txn, c: commitment };
}
