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
import type { TokenEvidence } from '../vault/vault.ts';
import type { Login } from './login.ts';

export interface DescribedToken {
  readonly record: Omit<TokenRecord, 'jwks'>;
  readonly evidence: TokenEvidence;
}

export function describeToken(issued: IssuedToken, login: Login | undefined): DescribedToken {
  const jwt = jwtOf(issued);
  const salt = randomBytes(32);
  const commitment = commitBytes(salt, 'token', utf8(jwt));
  const { iss, profile, nesting, kid, aud, scope, exp, txn } = issued;
  return {
    record: { iss, profile, nesting, kid, aud, scope, exp: exp.toISOString(), txn, c: commitment },
    evidence: {
      commitment,
      salt,
      jwt,
      ...(login === undefined ? {} : { subject: login.subject.key }),
    },
  };
}
