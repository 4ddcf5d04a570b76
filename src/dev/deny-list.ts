/**
 * Whom and what the development identity provider turns away at once, although tokens are still out.
 *
 * @module
 */

/** One thing to deny: a person or agent, a login, or one token. */
export type Denial = { readonly sub: string } | { readonly sid: string } | { readonly jti: string };

/** What a token says about itself, as far as a denial can meet it. */
export interface Deniable {
  readonly sub?: string | undefined;
  readonly sid?: string | undefined;
  readonly jti?: string | undefined;
}

/** A set of denials. It is small and lives as long as the provider. */
export class DenyList {
  readonly #denied = new Set<string>();

  add(denial: Denial): void {
    this.#denied.add(keyOf(denial));
  }

  remove(denial: Denial): void {
    this.#denied.delete(keyOf(denial));
  }

  has({ sub, sid, jti }: Deniable): boolean {
    return (
      (sub !== undefined && this.#denied.has(keyOf({ sub }))) ||
      (sid !== undefined && this.#denied.has(keyOf({ sid }))) ||
      (jti !== undefined && this.#denied.has(keyOf({ jti })))
    );
  }
}

function keyOf(denial: Denial): string {
  return JSON.stringify(Object.entries(denial)[0]);
}
