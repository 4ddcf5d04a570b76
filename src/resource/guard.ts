/**
 * The guard of a resource server: a request passes only with a valid delegation token for this very
 * resource, and the resource learns on whose behalf, by which agents, and what was authorised.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-4.1
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-4
 * @module
 */
import { parseDirectives } from '../attribution/directive.ts';
import { isCrumbError } from '../errors.ts';
import { memoryReplayStore, type ReplayStore } from '../token/replay-store.ts';
import {
  checkAccess,
  checkBinding,
  checkDenied,
  credentialsOf,
  judgeCall,
  openToken,
  reportSighting,
  useOnce,
  type GuardedCall,
} from './checks.ts';
import { delegationOf, type Delegation } from './delegation.ts';
import { PROOF_ALGORITHMS } from './dpop-proof.ts';
import { GuardError, isGuardCode, isGuardError } from './guard-error.ts';
import {
  parseGuardOptions,
  parseScope,
  type GuardOptions,
  type GuardSettings,
} from './guard-options.ts';
import type { GuardedRequest } from './guarded-request.ts';
import { metadataOf, metadataUrlOf, type ProtectedResourceMetadata } from './metadata.ts';
import { guardFetch, guardNode, type FetchGuard, type NodeGuard } from './middleware.ts';

/** Lets requests with a valid delegation pass, and answers the others. */
export interface Guard {
  /**
   * Checks a request's delegation token.
   *
   * @param call What the request is about to do; required with `directives: 'enforce'`.
   * @throws {GuardError} The request must not be served; the error is the answer.
   * @throws {TypeError} `call` is missing although directives are enforced.
   */
  verify(request: GuardedRequest, call?: GuardedCall): Promise<Delegation>;

  /** The answer to a refused request. Rethrows what is no {@link GuardError}. */
  respond(error: unknown): Response;

  /** Wraps a fetch-style handler: it only sees requests that passed, with their delegation. */
  readonly fetch: FetchGuard;

  /** Wraps a `node:http` or Express handler in the same way. */
  readonly node: NodeGuard;

  /** The RFC 9728 document, which `fetch` and `node` serve at `metadataUrl`. */
  metadata(): ProtectedResourceMetadata;
  readonly metadataUrl: string;
}

/**
 * Makes a guard.
 *
 * @throws {TypeError} For an unknown option, or one out of its range.
 */
export function createGuard(options: GuardOptions): Guard {
  const settings = parseGuardOptions(options);
  const context: GuardContext = {
    settings,
    proofs: settings.proofs ?? memoryReplayStore({ clock: settings.clock }),
    metadataUrl: metadataUrlOf(settings.resource),
  };
  const wrapped = {
    enforced: settings.directives === 'enforce',
    metadataUrl: context.metadataUrl,
    metadata: JSON.stringify(metadataOf(settings)),
    admit: async (request: GuardedRequest, callOf?: () => Promise<GuardedCall>) =>
      admit(context, request, callOf),
  };
  return Object.freeze<Guard>({
    async verify(request, call) {
      if (wrapped.enforced && call === undefined) {
        throw new TypeError('directives are enforced, so verify() must be told action and args');
      }
      return admit(context, request, call === undefined ? undefined : async () => call);
    },
    respond: answerOf,
    fetch: guardFetch(wrapped),
    node: guardNode(wrapped),
    metadata: () => metadataOf(settings),
    metadataUrl: context.metadataUrl,
  });
}

interface GuardContext {
  readonly settings: GuardSettings;
  readonly proofs: ReplayStore;
  readonly metadataUrl: string;
}

/** The steps in their order. Why one fails becomes an answer here, once. */
async function admit(
  context: GuardContext,
  request: GuardedRequest,
  callOf: (() => Promise<GuardedCall>) | undefined,
): Promise<Delegation> {
  const { settings } = context;
  let needed = settings.scope;
  try {
    const credentials = credentialsOf(request, settings);
    const token = await openToken(credentials.jwt, settings);
    // Only now: who has no token does not get to have a body read and parsed.
    const call = await callOf?.();
    needed = [...needed, ...parseScope(call?.scope ?? [])];
    const parsed = parseDirectives({ authorizationDetails: token.authorizationDetails }, []);
    const judgement = call === undefined ? undefined : judgeCall(call, token, { parsed, settings });
    checkAccess(token, needed, { judgement, settings });
    await checkBinding(request, { ...credentials, token }, context);
    await checkDenied(token, settings);
    // Last: a request that is refused for another reason does not use up its token.
    await useOnce(token, settings);
    await reportSighting(token, { jwt: credentials.jwt, call, judgement }, settings);
    return delegationOf(token, parsed, judgement);
  } catch (error) {
    throw refusalOf(error, context, needed);
  }
}

/** What is no reason of a guard is a fault, and goes on as it is: no request passes by it either. */
function refusalOf(error: unknown, context: GuardContext, scope: readonly string[]): unknown {
  if (!isCrumbError(error) || !isGuardCode(error.code)) return error;
  const { settings, metadataUrl } = context;
  const challenge = { metadataUrl, scope, dpop: settings.dpop, proofAlgs: PROOF_ALGORITHMS };
  const refusal = new GuardError(error.code, challenge, { cause: error.cause });
  settings.onRefusal?.(refusal);
  return refusal;
}

function answerOf(error: unknown): Response {
  if (!isGuardError(error)) throw error;
  return new Response(error.body, { status: error.status, headers: error.headers });
}
