/**
 * What one Crumb is made of, for the modules of this folder. Hosts never see it.
 *
 * @module
 */
import type { Mode } from '../evidence/kinds.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { AnchorScheduler } from '../ledger/anchor-scheduler.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Session } from '../token/session.ts';
import type { Vault } from '../vault/vault.ts';
import type { EndedLogins } from './ended-logins.ts';
import type { KnownEntries } from './known-entries.ts';
import type { OpenOutcomes } from './open-outcomes.ts';
import type { Resources } from './resources.ts';

/** What happens to a call that no directive covers. */
export type Unauthorized = 'record' | 'refuse' | 'ask';

export interface Gateway {
  readonly issuer: string;
  /** Client id of an agent. @throws {CrumbError} `agent_unknown` */
  readonly subjectOf: (agent: string) => string;
  readonly mode: Mode;
  readonly unauthorized: Unauthorized;
  readonly resources: Resources;
  readonly ledger: Ledger;
  /** Undefined where no anchor is configured. */
  readonly anchors: AnchorScheduler | undefined;
  readonly vault: Vault;
  readonly exchange: Exchange;
  readonly renew: (session: Session, token: string) => Promise<Session>;
  readonly approvalKey: Uint8Array;
  readonly clock: () => Date;
  readonly fetch: typeof globalThis.fetch;
  readonly ended: EndedLogins;
  readonly known: KnownEntries;
  readonly outcomes: OpenOutcomes;
}

const gateways = new WeakMap<object, Gateway>();

/** Ties a Crumb to what it is made of, for hosts that are given the whole of it. */
export function registerCrumb<T extends object>(crumb: T, gateway: Gateway): T {
  gateways.set(crumb, gateway);
  return crumb;
}

/** @throws {TypeError} Not made by `createCrumb`. */
export function gatewayOf(crumb: object): Gateway {
  const gateway = gateways.get(crumb);
  if (gateway === undefined) throw new TypeError('this is not a Crumb of createCrumb()');
  return gateway;
}
