/**
 * Puts a Crumb together: the one place where parts that talk meet parts that judge.
 *
 * @module
 */
import { hkdfSync } from 'node:crypto';
import { agentResource } from '../attribution/agent-resource.ts';
import type { Json } from '../attribution/tool-call.ts';
import { CrumbError } from '../errors.ts';
import { utf8 } from '../evidence/bytes.ts';
import type { Mode } from '../evidence/kinds.ts';
import { createExchange } from '../exchange/exchange.ts';
import { readIssuerConfig, type IssuerConfig } from '../exchange/issuer-config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { bundleLines } from '../ledger/export-bundle.ts';
import type { Anchor } from '../ledger/anchor.ts';
import type { AnchorOutcome } from '../ledger/anchor-scheduler.ts';
import type { SigningKey } from '../ledger/signer.ts';
import { bundleSource } from '../store/libsql/bundle-source.ts';
import { openLibsqlReader } from '../store/libsql/libsql-reader.ts';
import { createIssuerKeys } from '../token/issuer-keys.ts';
import {
  bearerOf,
  createSessionVerifier,
  factsOf,
  type Session,
  type SessionVerifier,
} from '../token/session.ts';
import { openVault } from '../vault/open-vault.ts';
import type { Vault } from '../vault/vault.ts';
import { stateOf, type ActingAgent, type Invocation } from './acting-agent.ts';
import { openAnchoredLedger } from './anchored-ledger.ts';
import { createActing } from './create-acting.ts';
import type { CurrentCall } from './current-call.ts';
import { registerCrumb, type Gateway, type Unauthorized } from './gateway.ts';
import { createEndedLogins } from './ended-logins.ts';
import { HumanSession } from './human-session.ts';
import { identify, type NamedPerson } from './identify.ts';
import { createKnownEntries } from './known-entries.ts';
import { createLogin } from './login.ts';
import { createOpenOutcomes } from './open-outcomes.ts';
import { scopedResources, type Resources } from './resources.ts';
import { currentActing, currentCall } from './scope.ts';
import { readSecret, type SecretInput } from './secret.ts';

/** How Crumb is set up. Keys may be PEM text, JWKs or signers; secrets bytes, base64url or a path. */
export interface CrumbOptions {
  /** The identity provider, and every agent as a client of it. */
  readonly issuer: IssuerConfig;
  readonly ledger: {
    /** `file:crumb.db`, or `libsql://…` with `authToken`. */
    readonly url: string;
    readonly authToken?: string;
    /** Name of the ledger: a schema-less URL such as `acme.example/crumb`. */
    readonly origin: string;
    /** Ed25519. */
    readonly signingKey: SigningKey;
    /** Where the rollback guard is kept, apart from the ledger: a file path or a libSQL URL. */
    readonly guard?: string;
    /** `worker`: queue, signing and database in a thread of their own. Default `inline`. */
    readonly writer?: 'inline' | 'worker';
    /** How long to wait for another process that writes, in milliseconds. Default 10000. */
    readonly busyTimeoutMs?: number;
  };
  /**
   * Third parties that checkpoints are taken to, from `crumb-ai/anchor`. A new ledger declares their
   * schedule in its first entry. Default none: then the record reaches the level `signed`.
   */
  readonly anchors?: readonly Anchor[];
  /** A database of its own for what can be erased, sealed under a key of its own. */
  readonly vault: { readonly url: string; readonly authToken?: string; readonly key: SecretInput };
  /** Binds approvals; the same in all instances. Default: derived from the vault's key. */
  readonly approvalKey?: SecretInput;
  /** What each tool calls. */
  readonly resources: Resources;
  /** No valid delegation: `enforce` (default) refuses the call, `record` runs it and says so. */
  readonly mode?: Mode;
  /** No directive covers a call: `record` (default) runs and flags it, `refuse`, or `ask` a human. */
  readonly unauthorized?: Unauthorized;
  /** Whether scopes stand for directives where a token has none. Default true. */
  readonly scopeFallback?: boolean;
  /** Finds the session token in a request. Default: its `Authorization` header. */
  readonly tokenFrom?: (request: Request) => string | undefined | Promise<string | undefined>;
  /** Accepts tokens of the development identity provider. Default false. */
  readonly allowDevelopment?: boolean;
  /** Replaces the global `fetch` of tool calls, for a proxy or a test. */
  readonly fetch?: typeof globalThis.fetch;
  /** Replaces the wall clock in tests. */
  readonly clock?: () => Date;
}

/** The flight recorder: one ledger, one vault, one identity provider. */
export interface Crumb {
  /**
   * Verifies a human's login.
   *
   * @param from A request, or the access token itself. Never something that a model wrote.
   * @throws {CrumbError} `session_missing`, `session_invalid`, `session_expired`, `session_machine`,
   *   `keys_unavailable`, the `act_` codes; `vault_unwritable`.
   */
  session(from: Request | string): Promise<HumanSession>;

  /** An agent that acts for no human, such as a nightly job. Its calls are `unattributed`. */
  unattended(agent: string): ActingAgent;

  /** The guarded call that is running here: token, human, chain, fetch. @throws {CrumbError} `call_missing` */
  current(): CurrentCall;

  /** {@link ActingAgent.invoke} of the ambient agent. @throws {CrumbError} `session_missing` */
  invoke<T>(call: Invocation, fn: (args: Json) => T | Promise<T>): Promise<T>;

  /**
   * Names the person behind a pseudonym, after recording that it was done.
   *
   * @param purpose A code for why, at most 64 characters.
   * @returns undefined if the vault knows nobody by it.
   * @throws {CrumbError} What the ledger throws: then nobody is named.
   */
  identify(human: string, options: { readonly purpose: string }): Promise<NamedPerson | undefined>;

  /**
   * Takes what is recorded to every anchor now, besides their schedule, and says what became of it.
   *
   * @param options How long to wait for each, in milliseconds. Default 30000.
   * @returns One outcome for each anchor; none without anchors.
   */
  anchor(options?: { readonly timeoutMs?: number }): Promise<readonly AnchorOutcome[]>;

  /** Publishes the last signed tree head; answers it as a C2SP signed note. */
  checkpoint(): Promise<string>;

  /**
   * The ledger as it is now, as lines of `crumb-bundle/1` without their newlines: for `verifyBundle`, or
   * for a file that an auditor is handed. Nothing is verified here.
   *
   * @throws {CrumbError} `ledger_invalid`, `ledger_unwritable`.
   */
  bundle(): AsyncIterable<string>;

  /** Origin, verification key, and what was found at the start. */
  readonly ledger: Pick<Ledger, 'origin' | 'vkey' | 'opened'>;

  /** Waits until all that was recorded is durable. */
  flush(): Promise<void>;

  /**
   * Flushes, publishes a checkpoint and closes both databases.
   *
   * @throws {CrumbError} `ledger_unwritable`: outcomes could not be written and stay unknown.
   */
  close(): Promise<void>;
}

/**
 * Opens or makes the ledger and the vault, and ties them to the identity provider.
 *
 * @throws {TypeError} An option cannot be meant like that.
 * @throws {CrumbError} `ledger_forked`, `ledger_invalid`, `ledger_key_unknown`, `ledger_busy`,
 *   `ledger_unwritable`, `key_invalid`, `vault_key_wrong`, `vault_unwritable`.
 */
export async function createCrumb(options: CrumbOptions): Promise<Crumb> {
  requireKnown(options);
  const vaultKey = readSecret(options.vault.key, 'vault.key');
  const approvalKey =
    options.approvalKey === undefined
      ? new Uint8Array(
          hkdfSync('sha256', vaultKey, new Uint8Array(), utf8('crumb-approval-key'), 32),
        )
      : readSecret(options.approvalKey, 'approvalKey');
  const issuer = readIssuerConfig(options.issuer);
  const clock = options.clock ?? (() => new Date());
  const keys = createIssuerKeys({
    url: issuer.url,
    timeoutMs: issuer.timeoutMs,
    fetch: issuer.fetch,
    clock,
  });

  const vault = await openVault({ ...options.vault, key: vaultKey });
  const { ledger, anchors } = await openAnchoredLedger(
    { ...options.ledger, clock },
    options.anchors ?? [],
    options.allowDevelopment ?? false,
  ).catch(async (error: unknown) => {
    await vault.close();
    throw error;
  });
  const sessions = createSessionVerifier({
    keys,
    audience: options.issuer.audience ?? options.issuer.client.id,
    client: options.issuer.client.id,
    agentAudiences: Object.entries(options.issuer.agents).map(([name, { id = name }]) =>
      agentResource(id),
    ),
    typ: issuer.profile.tokenTyp,
    algs: issuer.profile.algs,
    scoped: options.scopeFallback === false ? [] : scopedResources(options.resources),
    profileIsMachine: issuer.profile.isMachine,
    clock,
  });
  const gateway: Gateway = {
    issuer: issuer.url,
    subjectOf: (name) => issuer.agent(name).actor.sub,
    mode: options.mode ?? 'enforce',
    unauthorized: options.unauthorized ?? 'record',
    resources: options.resources,
    ledger,
    anchors,
    vault,
    exchange: createExchange({ issuer: options.issuer, keys, clock }),
    renew: async (session, token) => sessions.renew(session, token),
    approvalKey,
    clock,
    fetch: options.fetch ?? globalThis.fetch,
    ended: createEndedLogins(clock),
    known: createKnownEntries(ledger),
    outcomes: createOpenOutcomes(ledger),
  };
  return registerCrumb(crumbOf(gateway, sessions, options), gateway);
}

function crumbOf(
  gateway: Gateway,
  sessions: SessionVerifier,
  { ledger: place, tokenFrom, allowDevelopment = false }: CrumbOptions,
): Crumb {
  const { anchors, ledger, outcomes, vault } = gateway;
  return {
    async session(from) {
      const token = typeof from === 'string' ? from : await tokenOf(from, tokenFrom);
      const session = await sessions.open(token);
      requireTrusted(session, allowDevelopment);
      const login = await createLogin(session, gateway);
      if (gateway.ended.has(login)) throw new CrumbError('session_expired');
      return new HumanSession(gateway, login);
    },
    unattended: (agent) =>
      createActing({
        gateway,
        name: agent,
        chain: [{ iss: gateway.issuer, sub: gateway.subjectOf(agent) }],
        attended: undefined,
        hop: null,
      }),
    current() {
      const call = currentCall();
      // Another Crumb of this process has its own calls.
      if (stateOf(currentActing()).gateway !== gateway) throw new CrumbError('call_missing');
      return call;
    },
    invoke: async (call, fn) => currentActing().invoke(call, fn),
    identify: async (human, { purpose }) => identify({ ledger, vault }, human, purpose),
    anchor: async ({ timeoutMs = 30_000 } = {}) => anchors?.anchorNow({ timeoutMs }) ?? [],
    checkpoint: async () => ledger.checkpoint(),
    bundle: () => bundleOf(place, vault),
    ledger,
    flush: async () => ledger.flush(),
    async close() {
      // Each is closed whatever became of the one before; the first trouble is told.
      await anchors?.close();
      const drained = await Promise.allSettled([outcomes.drain()]);
      const closed = await Promise.allSettled([ledger.close()]);
      const rest = await Promise.allSettled([vault.close()]);
      const trouble = [...drained, ...closed, ...rest].find(({ status }) => status === 'rejected');
      if (trouble?.status === 'rejected') throw trouble.reason;
    },
  };
}

async function* bundleOf(
  { url, authToken }: CrumbOptions['ledger'],
  vault: Vault,
): AsyncIterable<string> {
  const reader = await openLibsqlReader({ url, ...(authToken === undefined ? {} : { authToken }) });
  try {
    yield* bundleLines(await bundleSource(reader, vault), { made: new Date() });
  } finally {
    await reader.close();
  }
}

async function tokenOf(request: Request, tokenFrom: CrumbOptions['tokenFrom']): Promise<string> {
  if (tokenFrom === undefined) return bearerOf(request);
  const token = await tokenFrom(request);
  if (token === undefined || token === '') throw new CrumbError('session_missing');
  return token;
}

/** What a development identity provider says is worth nothing outside the machine it runs on. */
function requireTrusted(session: Session, allowDevelopment: boolean): void {
  if (!allowDevelopment && factsOf(session).development) throw new CrumbError('session_invalid');
}

const OPTIONS: Readonly<Record<keyof CrumbOptions, true>> = {
  issuer: true,
  ledger: true,
  anchors: true,
  vault: true,
  approvalKey: true,
  resources: true,
  mode: true,
  unauthorized: true,
  scopeFallback: true,
  tokenFrom: true,
  allowDevelopment: true,
  fetch: true,
  clock: true,
};

/** A misspelt option would be a rule that nobody applies. */
function requireKnown(options: CrumbOptions): void {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown.length > 0) throw new TypeError(`unknown option: ${unknown.join(', ')}`);
  oneOf(options.mode, ['enforce', 'record'], 'mode');
  oneOf(options.unauthorized, ['record', 'refuse', 'ask'], 'unauthorized');
}

function oneOf(value: string | undefined, allowed: readonly string[], name: string): void {
  if (value !== undefined && !allowed.includes(value)) {
    throw new TypeError(`${name} must be one of ${allowed.join(', ')}`);
  }
}
