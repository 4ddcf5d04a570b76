/**
 * Keys that tokens are bound to (DPoP): one for each agent, made here, never written anywhere.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9449
 * @module
 */
import { base64url, exportJWK, SignJWT, type JWK } from 'jose';
import type { RegisteredAgent } from './issuer-config.ts';
import { Configuration, getDPoPHandle, randomDPoPKeyPair, type DPoPHandle } from 'openid-client';

const ALG = 'ES256';

/** One agent's key, and how it is used. */
export interface AgentBinding {
  /** For requests to the token endpoint: proves the key, and remembers the endpoint's nonces. */
  readonly handle: DPoPHandle;
  /** RFC 7638 thumbprint, as `cnf.jkt` says it. */
  readonly jkt: string;
  /** A proof for one request that carries a token bound to this key. */
  readonly prove: (request: ProvenRequest) => Promise<string>;
}

/** A request to a resource, for which a proof is made. */
export interface ProvenRequest {
  readonly method: string;
  readonly url: URL;
  readonly jwt: string;
  /** What the resource sent in `DPoP-Nonce`. */
  readonly nonce?: string;
}

/** Bindings of agents, each made at its first use. */
export function createAgentBindings(
  issuer: string,
): (agent: RegisteredAgent) => Promise<AgentBinding> {
  const bindings = new Map<string, Promise<AgentBinding>>();
  return async ({ name, actor }) => {
    const binding = bindings.get(name) ?? createAgentBinding(issuer, actor.sub);
    bindings.set(name, binding);
    return binding;
  };
}

async function createAgentBinding(issuer: string, client: string): Promise<AgentBinding> {
  const pair = await randomDPoPKeyPair(ALG);
  const { kty, crv, x, y } = await exportJWK(pair.publicKey);
  const jwk: JWK = { ...(kty && { kty }), ...(crv && { crv }), ...(x && { x }), ...(y && { y }) };
  // The handle takes the clock's offset from the configuration, and nothing else.
  const handle = getDPoPHandle(new Configuration({ issuer }, client), pair);
  return {
    handle,
    jkt: await handle.calculateThumbprint(),
    prove: async ({ method, url, jwt, nonce }) =>
      new SignJWT({
        htm: method,
        htu: `${url.origin}${url.pathname}`,
        ath: base64url.encode(await sha256(jwt)),
        jti: crypto.randomUUID(),
        ...(nonce === undefined ? {} : { nonce }),
      })
        .setIssuedAt()
        .setProtectedHeader({ alg: ALG, typ: 'dpop+jwt', jwk })
        .sign(pair.privateKey),
  };
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}
