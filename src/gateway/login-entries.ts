/**
 * The entries of a login: the issuer's key set, and the session itself.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { toBase64url } from '../evidence/bytes.ts';
import type { KeySetSnapshot } from '../token/session.ts';
import type { Gateway } from './gateway.ts';
import type { Prerequisite } from './known-entries.ts';
import { describeLogin, type Login } from './login.ts';

/** Every call asks three times, and a key set is some kilobytes. */
const ids = new WeakMap<KeySetSnapshot, string>();

/** By the bytes: another spelling of the same keys is another set. */
export function keySetId(keySet: KeySetSnapshot): string {
  const known = ids.get(keySet);
  if (known !== undefined) return known;
  const id = `keys ${keySet.iss} ${createHash('sha256').update(keySet.raw).digest('hex')}`;
  ids.set(keySet, id);
  return id;
}

export function loginId(login: Login): string {
  return `login ${login.human} ${toBase64url(login.facts.tokenDigest)}`;
}

export function loginEntries(gateway: Gateway, login: Login): readonly Prerequisite[] {
  const earlier = login.renews === undefined ? [] : loginEntries(gateway, login.renews);
  return [...earlier, keySetEntry(gateway, login.facts.keySet), loginEntry(gateway, login)];
}

export function keySetEntry(gateway: Gateway, keySet: KeySetSnapshot): Prerequisite {
  return {
    id: keySetId(keySet),
    async draft() {
      const digest = await gateway.vault.keepKeySet(keySet.iss, keySet.raw);
      return {
        kind: 'key',
        body: {
          role: 'issuer',
          op: 'add',
          key: { iss: keySet.iss, jwks: toBase64url(digest) },
          proof: null,
          since: null,
          reason: null,
        },
      };
    },
  };
}

function loginEntry(gateway: Gateway, login: Login): Prerequisite {
  return {
    id: loginId(login),
    async draft(at) {
      const { body, openings, tokens } = describeLogin(login);
      await gateway.vault.keep({ openings, tokens });
      const jwks = at(keySetId(login.facts.keySet));
      return login.renews === undefined
        ? { kind: 'session', body: { ...body, op: 'open', session: null, jwks } }
        : {
            kind: 'session',
            body: { ...body, op: 'renew', session: at(loginId(login.renews)), jwks },
          };
    },
  };
}
