/**
 * How one kind of identity provider does token exchange, as data: providers differ in what they are
 * sent and in how they nest `act`, and no code branches on a vendor's name.
 *
 * A profile that is wrong about a provider can only make calls fail: what came back is held to
 * post-conditions.ts whatever the profile says.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693
 * @module
 */
import { MAX_ACTORS, type Actor } from '../attribution/act-chain.ts';
import { agentResource } from '../attribution/agent-resource.ts';
import type { Nesting } from '../evidence/kinds.ts';
import { ACCESS_TOKEN, ID_TOKEN, JWT } from '../token/token-types.ts';

/** What a provider is sent, and what its tokens look like. */
export interface IssuerProfile {
  /** Recorded with every token. */
  readonly name: string;
  /** Whether this package ran against the product itself. All else is taken from documentation. */
  readonly verified: boolean;
  /** `typ` headers of its access tokens, without `application/`; compared without case. */
  readonly tokenTyp: readonly string[];
  /** JWS algorithms accepted. */
  readonly algs: readonly string[];
  /** `subject_token_type` values it takes; the first one is sent. */
  readonly subjectTypes: readonly string[];
  /**
   * How the acting agent is named: by an `actor_token` (`required`, `optional`: always sent), by the
   * client that authenticates (`client`), or not at all.
   */
  readonly actor: 'required' | 'optional' | 'client' | 'none';
  /** Whose `act` becomes the inner one at the next hop; `none`: its tokens have no `act`. */
  readonly nesting: Nesting;
  /** Most `act` levels that it writes. */
  readonly maxDepth: number;
  /** The parameter that names the target. */
  readonly target: 'resource' | 'audience' | 'both' | 'scope';
  /** The target that stands for an agent (by client id), to be handed a token of its own. */
  readonly agentTarget: (id: string) => string;
  /** `requested_token_type`, where it must be sent. */
  readonly requestedType?: string;
  /** Trips of one hop. Only `direct` is built; the others are refused as `chain_unsupported`. */
  readonly legs: 'direct' | 'id-jag' | 'obo';
  /** The agent that an `act` node of its tokens names. */
  readonly actorId: (node: Actor) => Actor;
  /** The claim that names the client a token was issued to. */
  readonly clientClaim: 'client_id' | 'azp' | 'cid' | 'appid';
  /** What the provider makes of `may_act` in a subject token. */
  readonly mayAct: 'required' | 'optional' | 'switches-mode' | 'none';
  /** `mapped`: it renames the human. Not built; refused as `chain_unsupported`. */
  readonly subject: 'same' | 'mapped';
  /** Its innermost actor is `issuer.client`: checked, then left out of the chain. */
  readonly rootClient: boolean;
  /** Whether verified claims belong to a machine and not to a human. */
  readonly isMachine: (claims: Readonly<Record<string, unknown>>) => boolean;
  /** Answers taken although RFC 8693 section 2.2.1 asks for more. */
  readonly lax: { readonly issuedTokenType?: boolean };
}

const ASYMMETRIC = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];

const sameId = (id: string): string => id;
const sameNode = (node: Actor): Actor => node;

/** RFC 8693, 8707 and 9068 to the letter. Every other profile is a difference to this one. */
const GENERIC: IssuerProfile = {
  name: 'generic',
  verified: false,
  tokenTyp: ['at+jwt'],
  algs: ASYMMETRIC,
  subjectTypes: [ACCESS_TOKEN],
  actor: 'required',
  nesting: 'subject',
  maxDepth: MAX_ACTORS,
  target: 'resource',
  agentTarget: agentResource,
  legs: 'direct',
  actorId: sameNode,
  clientClaim: 'client_id',
  mayAct: 'optional',
  subject: 'same',
  rootClient: false,
  isMachine: (claims) => claims['sub'] === claims['client_id'],
  lax: {},
};

/** The same by `audience`, with the agent's client id as its target. */
const AUDIENCE: IssuerProfile = {
  ...GENERIC,
  name: 'generic-audience',
  target: 'audience',
  agentTarget: sameId,
};

/** Providers whose exchanged tokens name no agent: every chain is refused before anything is sent. */
const NO_ACT = { actor: 'none', nesting: 'none', maxDepth: 0 } as const;

const ROWS: readonly IssuerProfile[] = [
  GENERIC,
  AUDIENCE,
  // The development identity provider of `crumb-ai/dev`; the tests run against it.
  { ...GENERIC, name: 'dev', verified: true },
  { ...GENERIC, name: 'authorizer', maxDepth: 4 },
  { ...AUDIENCE, name: 'toolhive', actor: 'optional' },
  {
    ...AUDIENCE,
    name: 'wso2',
    tokenTyp: ['at+jwt', 'jwt'],
    subjectTypes: [JWT, ACCESS_TOKEN],
    mayAct: 'switches-mode',
  },
  { ...AUDIENCE, name: 'ping', tokenTyp: ['at+jwt', 'jwt'], mayAct: 'required' },
  {
    ...GENERIC,
    name: 'logto',
    maxDepth: 1,
    agentTarget: sameId,
    lax: { issuedTokenType: true },
  },
  {
    ...AUDIENCE,
    name: 'auth0',
    actor: 'client',
    maxDepth: 5,
    requestedType: ACCESS_TOKEN,
    rootClient: true,
    isMachine: (claims) =>
      claims['gty'] === 'client-credentials' ||
      (typeof claims['sub'] === 'string' && claims['sub'].endsWith('@clients')),
  },
  // Nests from the actor's side: chains of more than one agent need another recipe, see expressible().
  {
    ...AUDIENCE,
    name: 'zitadel',
    tokenTyp: ['at+jwt', 'jwt'],
    actor: 'optional',
    nesting: 'actor',
    requestedType: JWT,
  },
  {
    ...AUDIENCE,
    name: 'rauthy',
    tokenTyp: ['at+jwt', 'jwt'],
    nesting: 'actor',
    clientClaim: 'azp',
  },
  {
    ...AUDIENCE,
    name: 'keycloak-delegation',
    tokenTyp: ['at+jwt', 'jwt'],
    nesting: 'actor',
    clientClaim: 'azp',
    mayAct: 'required',
    isMachine: isServiceAccount,
  },
  // Exchange without `act`, or by several trips. Listed, so that choosing one gives the reason.
  {
    ...AUDIENCE,
    ...NO_ACT,
    name: 'keycloak',
    tokenTyp: ['at+jwt', 'jwt'],
    clientClaim: 'azp',
    mayAct: 'none',
    isMachine: isServiceAccount,
  },
  {
    ...AUDIENCE,
    ...NO_ACT,
    name: 'okta',
    tokenTyp: ['at+jwt', 'jwt'],
    clientClaim: 'cid',
    mayAct: 'none',
    isMachine: (claims) => claims['sub'] === claims['cid'],
  },
  {
    ...AUDIENCE,
    name: 'okta-agents',
    subjectTypes: [ID_TOKEN, ACCESS_TOKEN],
    actor: 'client',
    target: 'both',
    legs: 'id-jag',
    clientClaim: 'cid',
    isMachine: (claims) => claims['sub'] === claims['cid'],
  },
  {
    ...GENERIC,
    ...NO_ACT,
    name: 'entra',
    tokenTyp: ['jwt'],
    algs: ['RS256'],
    subjectTypes: [JWT],
    target: 'scope',
    agentTarget: sameId,
    legs: 'obo',
    clientClaim: 'azp',
    mayAct: 'none',
    isMachine: (claims) => claims['idtyp'] === 'app',
  },
];

/** Every profile of this package, by name. docs/guides/identity-providers.md explains each. */
export const PROFILES: Readonly<Record<string, IssuerProfile>> = Object.freeze(
  Object.fromEntries(ROWS.map((row) => [row.name, Object.freeze(row)])),
);

/** The profile of that name, or the one given. @throws {TypeError} There is none. */
export function profileOf(profile: string | IssuerProfile = 'generic'): IssuerProfile {
  if (typeof profile !== 'string') return profile;
  const found = Object.hasOwn(PROFILES, profile) ? PROFILES[profile] : undefined;
  if (found === undefined)
    throw new TypeError(`issuer.profile is none of ${Object.keys(PROFILES).join(', ')}`);
  return found;
}

/**
 * Whether a provider of this profile can put such a chain into one token.
 *
 * A second hop in the plain way at a provider that nests from the actor gives a valid token from which
 * the first agent has silently gone, so it is not even asked.
 */
export function expressible(profile: IssuerProfile, actors: number): boolean {
  if (profile.legs !== 'direct' || profile.subject !== 'same') return false;
  if (profile.actor === 'none' || profile.nesting === 'none' || profile.target === 'scope')
    return false;
  if (profile.nesting === 'actor' && actors > 1) return false;
  const levels = profile.rootClient ? actors + 1 : actors;
  return levels <= Math.min(profile.maxDepth, MAX_ACTORS);
}

function isServiceAccount(claims: Readonly<Record<string, unknown>>): boolean {
  const name = claims['preferred_username'];
  return typeof name === 'string' && name.startsWith('service-account-');
}
