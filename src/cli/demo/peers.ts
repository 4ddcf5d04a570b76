/**
 * Packages that only the demo needs: optional for everybody else.
 *
 * @module
 */
import { CrumbError } from '../../errors.ts';

/** What the demo's processes import. */
export const DEMO_PACKAGES: readonly string[] = ['ai', 'zod', 'oidc-provider'];

/** @throws {CrumbError} `package_missing`, naming each that cannot be found. */
export function requirePackages(packages: readonly string[]): void {
  const names = packages.filter((name) => {
    try {
      import.meta.resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (names.length > 0) throw new CrumbError('package_missing', { names });
}
