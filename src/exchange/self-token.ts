/**
 * Each agent's own token: its proof, at an exchange, of who acts. The same for every human, so it is
 * kept while it lasts.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
 * @module
 */
import type { AgentBinding } from './agent-binding.ts';
import type { RegisteredAgent } from './issuer-config.ts';
import { createTokenCache, keptUntil } from './token-cache.ts';
import type { TokenEndpoint } from './token-endpoint.ts';

/** The key that an agent's tokens are bound to; undefined: they are bound to none. */
export type Bindings = (agent: RegisteredAgent) => Promise<AgentBinding | undefined>;

export interface SelfTokens {
  /** @throws {ExchangeError} `exchange_refused`, `exchange_unreachable`. */
  readonly get: (agent: RegisteredAgent, signal: AbortSignal) => Promise<string>;
  readonly forget: (agent: RegisteredAgent) => void;
}

export interface SelfTokenParts {
  readonly endpoint: TokenEndpoint;
  readonly bindings: Bindings;
  readonly clock: () => Date;
}

/** Own tokens of agents, none yet. */
export function createSelfTokens({ endpoint, bindings, clock }: SelfTokenParts): SelfTokens {
  const cache = createTokenCache<string>({ clock });

  return {
    get: async (agent, signal) => {
      const { value } = await cache.get({
        key: agent.name,
        tags: [agent.name],
        signal,
        load: async (stop) => {
          const dpop = (await bindings(agent))?.handle;
          const answer = await endpoint({
            agent,
            grant: 'client_credentials',
            parameters: new URLSearchParams(),
            dpop,
            signal: stop,
          });
          // Without a stated life it serves this once.
          const ends = clock().getTime() + (answer.expiresInSeconds ?? 0) * 1000;
          return { value: answer.accessToken, until: keptUntil(ends, clock()) };
        },
      });
      return value;
    },
    forget: (agent) => cache.drop(agent.name),
  };
}
