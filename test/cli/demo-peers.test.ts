import { expect, it } from 'vitest';
import { DEMO_PACKAGES, requirePackages } from '../../src/cli/demo/peers.ts';

it('finds what the demo needs, and names what is not installed', () => {
  expect(() => requirePackages(DEMO_PACKAGES)).not.toThrow();
  expect(() => requirePackages(['ai', 'no-such-package-a', 'no-such-package-b'])).toThrow(
    expect.objectContaining({
      code: 'package_missing',
      message: expect.stringContaining('no-such-package-a, no-such-package-b'),
    }),
  );
});
