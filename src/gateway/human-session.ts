/**
 * A human's session as an application holds it. It prints nothing.
 *
 * @module
 */
import { extendActChain } from '../attribution/act-chain.ts';
import { CrumbError } from '../errors.ts';
import type { ActingAgent } from './acting-agent.ts';
import { createActing } from './create-acting.ts';
import type { Gateway } from './gateway.ts';
import { createLogin, type Login } from './login.ts';
import { loginEntries, loginId } from './login-entries.ts';

/** A verified login. Opaque: neither JSON nor `util.inspect` of it holds who it is. */
export class HumanSession {
  readonly #gateway: Gateway;
  readonly #login: Login;

  /** Made by `crumb.session()`. */
  constructor(gateway: Gateway, login: Login) {
    this.#gateway = gateway;
    this.#login = login;
    Object.freeze(this);
  }

  /**
   * The agent that this human directs.
   *
   * @param name Its name in `issuer.agents`.
   * @throws {CrumbError} `agent_unknown`, `chain_unsupported`, `act_repeated`, `act_is_subject`,
   *   `act_too_deep`.
   */
  agent(name: string): ActingAgent {
    const gateway = this.#gateway;
    const grant = gateway.exchange.root(this.#login.session, name);
    const actor = { iss: gateway.issuer, sub: gateway.subjectOf(name) };
    return createActing({
      gateway,
      name,
      chain: extendActChain(this.#login.facts.upstream, actor),
      attended: { login: this.#login, grant },
      hop: null,
    });
  }

  /**
   * Goes on with a later token of the same login.
   *
   * @throws {CrumbError} `session_renewal_mismatch`, and what `crumb.session()` throws.
   */
  async renew(token: string): Promise<HumanSession> {
    const gateway = this.#gateway;
    if (gateway.ended.has(this.#login)) throw new CrumbError('session_expired');
    const session = await gateway.renew(this.#login.session, token);
    const first = this.#login.renews ?? this.#login;
    return new HumanSession(gateway, await createLogin(session, gateway, first));
  }

  /** Ends it here: no further call runs under it, cached tokens are dropped, and it is recorded. */
  async end(): Promise<void> {
    const gateway = this.#gateway;
    const login = this.#login;
    gateway.ended.end(login);
    gateway.exchange.drop(login.session);
    if (!gateway.ended.claimRecord(login)) return;
    const needs = loginEntries(gateway, login);
    const recorded = gateway.known.append(needs, (at) => ({
      drafts: [{ kind: 'session', body: endOf(login, at(loginId(login.renews ?? login))) }],
    }));
    await recorded.catch((error: unknown) => {
      gateway.ended.returnRecord(login); // nothing runs any more, but the record must still say so
      throw error;
    });
  }

  /** Directives of its token that could not be read, by position. They authorise nothing. */
  get malformedDirectives(): readonly number[] {
    return this.#login.facts.malformedDirectives;
  }

  toJSON(): object {
    return { session: 'redacted' };
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return 'HumanSession { redacted }';
  }
}

function endOf<Place>(
  login: Login,
  session: Place,
): {
  readonly op: 'end';
  readonly session: Place;
  readonly human: string;
  readonly iss: string;
  readonly loginAt: null;
  readonly acr: null;
  readonly amr: readonly [];
  readonly expires: null;
  readonly chain: Login['facts']['upstream'];
  readonly claims: null;
  readonly token: null;
  readonly jwks: null;
  readonly directives: readonly [];
} {
  return {
    op: 'end',
    session,
    human: login.human,
    iss: login.facts.human.iss,
    loginAt: null,
    acr: null,
    amr: [],
    expires: null,
    chain: login.facts.upstream,
    claims: null,
    token: null,
    jwks: null,
    directives: [],
  };
}
