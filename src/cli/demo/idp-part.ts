/**
 * The identity provider of the demo.
 *
 * @module
 */
import { startDevIdp } from '../../dev/dev-idp.ts';
import type { RunningPart } from './running-part.ts';
import { APPLICATION, RECORDS, scopesOf } from './story.ts';

export interface IdentityProviderConfig {
  readonly coarse: boolean;
  /** Public keys only: the provider holds no key of an agent. */
  readonly publicKeys: Readonly<Record<'application' | 'planner' | 'researcher', object>>;
  readonly redirectUri: string;
}

export async function startIdentityProvider(config: IdentityProviderConfig): Promise<RunningPart> {
  const { publicKeys } = config;
  const scopes = scopesOf(config.coarse);
  const idp = await startDevIdp({
    clients: [
      {
        id: APPLICATION,
        name: 'Records assistant',
        redirectUris: [config.redirectUri],
        jwks: { keys: [publicKeys.application] },
        agents: ['planner', 'researcher'],
      },
    ],
    agents: [
      { id: 'planner', jwks: { keys: [publicKeys.planner] } },
      { id: 'researcher', jwks: { keys: [publicKeys.researcher] } },
    ],
    resources: [{ resource: RECORDS, scopes: [...new Set([scopes.read, scopes.export])] }],
  });
  return { url: idp.url, close: async () => idp.close() };
}
