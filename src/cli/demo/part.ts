/**
 * One process of the demo: the identity provider, the records service or the agent. They talk HTTP with
 * each other; only their configuration and their readiness pass between parent and child.
 *
 * @module
 */
import { startAgent, type AgentConfig } from './agent-part.ts';
import { startIdentityProvider, type IdentityProviderConfig } from './idp-part.ts';
import { startRecords, type RecordsConfig } from './records-part.ts';
import type { RunningPart } from './running-part.ts';

export type PartConfig =
  | ({ readonly part: 'idp' } & IdentityProviderConfig)
  | ({ readonly part: 'records' } & RecordsConfig)
  | ({ readonly part: 'agent' } & AgentConfig);

/** What a child tells its parent. */
export type PartMessage =
  { readonly ready: string } | { readonly failed: string; readonly hint?: string };

async function start(config: PartConfig): Promise<RunningPart> {
  switch (config.part) {
    case 'idp':
      return startIdentityProvider(config);
    case 'records':
      return startRecords(config);
    case 'agent':
      return startAgent(config);
    default:
      return config satisfies never;
  }
}

function tell(message: PartMessage): void {
  process.send?.(message);
}

// The parent's first message is the configuration; its going away is the end.
process.once('message', (config) => {
  start(config as PartConfig) // the parent is our own code: start-parts.ts sends nothing else
    .then((running) => {
      process.once('disconnect', () => {
        void running.close().finally(() => process.exit(0));
      });
      tell({ ready: running.url });
    })
    .catch((error: unknown) => {
      tell({ failed: error instanceof Error ? error.message : 'it did not start' });
      process.exitCode = 1;
      process.disconnect();
    });
});
