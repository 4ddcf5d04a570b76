/**
 * A development identity provider, and a login without a browser: for trying Crumb and for tests.
 * Never for production.
 *
 * @module
 */
export { PEOPLE, startDevIdp, type DevIdp, type DevIdpOptions } from './dev-idp.ts';
export type { Denial } from './deny-list.ts';
export { describeEvent, type DevIdpEvent } from './events.ts';
export type { ExchangeRefusal } from './exchange-rules.ts';
export { FAULTS, type DevIdpFault } from './faults.ts';
export { devKeyPair, type DevAlgorithm, type DevKeyPair } from './keyring.ts';
export { login, LoginError, type LoginOptions, type LoginResult } from './login.ts';
export type { DevAgent, DevClient, DevResource, Person } from './registry.ts';
