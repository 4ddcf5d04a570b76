/**
 * What a development identity provider tells whoever watches it. No event holds a token.
 *
 * @module
 */
import type { ExchangeRefusal } from './exchange-rules.ts';

/** One thing that happened. Names of people are theirs to see: this provider is for development. */
export type DevIdpEvent =
  | { readonly kind: 'login'; readonly sub: string; readonly client: string }
  | {
      readonly kind: 'consent';
      readonly sub: string;
      readonly client: string;
      readonly directives: number;
    }
  | { readonly kind: 'consent-denied'; readonly sub: string; readonly client: string }
  | {
      readonly kind: 'exchange';
      readonly client: string;
      /** Agents, first directed first. */
      readonly chain: readonly string[];
      readonly target: string;
      readonly scope: readonly string[];
    }
  | { readonly kind: 'refusal'; readonly client: string; readonly reason: ExchangeRefusal }
  | {
      /** Any other answer with an error, such as a client that failed to authenticate. */
      readonly kind: 'error';
      readonly error: string;
      /** What the answer itself leaves out. */
      readonly detail: string;
    }
  | {
      readonly kind: 'rotation';
      readonly step: 'published' | 'switched' | 'retired';
      readonly kid: string;
    };

/** An event in one line. */
export function describeEvent(event: DevIdpEvent): string {
  switch (event.kind) {
    case 'login':
      return `${event.sub} logged in to ${event.client}`;
    case 'consent':
      return `${event.sub} allowed ${event.client} ${event.directives} directive(s)`;
    case 'consent-denied':
      return `${event.sub} denied ${event.client}`;
    case 'exchange':
      return `${event.chain.join(' > ')} may call ${event.target} (${event.scope.join(' ')})`;
    case 'refusal':
      return `refused to delegate to ${event.client}: ${event.reason}`;
    case 'error':
      return `${event.error}: ${event.detail}`;
    case 'rotation':
      return `key ${event.kid} ${event.step}`;
    default:
      return event satisfies never;
  }
}
