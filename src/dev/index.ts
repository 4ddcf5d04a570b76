/**
 * A development identity provider, with a login without a browser, a development transparency log and a
 * development witness: for trying Crumb and for tests. Never for production.
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
export { startDevLog, type DevLog, type DevLogOptions } from './log.ts';
export {
  describeLogEvent,
  describeWitnessEvent,
  type DevLogEvent,
  type DevWitnessEvent,
} from './transparency/events.ts';
export {
  LOG_FAULTS,
  WITNESS_FAULTS,
  type DevLogFault,
  type DevWitnessFault,
} from './transparency/faults.ts';
export type { LoopbackHost } from './transparency/loopback-server.ts';
export { startDevWitness, type DevWitness, type DevWitnessOptions } from './witness.ts';
