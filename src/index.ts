/**
 * A flight recorder for AI agents.
 *
 * @module
 */
export { createCrumb, type Crumb, type CrumbOptions } from './gateway/create-crumb.ts';
export type { ActingAgent, Invocation } from './gateway/acting-agent.ts';
export type { CurrentCall, IntentReference } from './gateway/current-call.ts';
export type { Unauthorized } from './gateway/gateway.ts';
export type { HumanSession } from './gateway/human-session.ts';
export type { NamedPerson } from './gateway/identify.ts';
export type { ResourceEntry, Resources } from './gateway/resources.ts';
export type { SecretInput } from './gateway/secret.ts';
export type { IssuerConfig } from './exchange/issuer-config.ts';
export type { IssuerProfile } from './exchange/issuer-profile.ts';
export type { Anchor } from './ledger/anchor.ts';
export type { AnchorOutcome } from './ledger/anchor-scheduler.ts';
export type { Signer } from './ledger/ledger.ts';
export type { ActChain, Actor } from './attribution/act-chain.ts';
export type { Json } from './attribution/tool-call.ts';
export {
  CrumbError,
  ExchangeError,
  isCrumbError,
  PostConditionError,
  type CrumbErrorCode,
} from './errors.ts';
