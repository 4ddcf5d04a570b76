/**
 * `crumb-ai/resource`: refuse every call that comes without a valid delegation token.
 *
 * @module
 */
export type { Actor, ActChain } from '../attribution/act-chain.ts';
export type { Directive } from '../attribution/directive.ts';
export type { Judgement } from '../attribution/judge.ts';
export { memoryDenyList } from '../token/deny-list.ts';
export type { DeniableToken, Denial, DenyList, MemoryDenyList } from '../token/deny-list.ts';
export { memoryReplayStore } from '../token/replay-store.ts';
export type { MemoryReplayStoreOptions, ReplayStore } from '../token/replay-store.ts';
export type { GuardedCall } from './checks.ts';
export type { Delegation } from './delegation.ts';
export { createGuard } from './guard.ts';
export type { Guard } from './guard.ts';
export { GuardError, isGuardError } from './guard-error.ts';
export type { GuardCode } from './guard-error.ts';
export type { GuardIssuer, GuardOptions, Sighting } from './guard-options.ts';
export type { GuardedRequest, NodeRequestHead } from './guarded-request.ts';
export type { ProtectedResourceMetadata } from './metadata.ts';
export type { FetchGuard, FetchHandler, NodeGuard, NodeResponse, Wrapping } from './middleware.ts';
