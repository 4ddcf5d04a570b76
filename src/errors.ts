/**
 * Every error that Crumb throws: a closed code, a fixed text, and what to do about it.
 *
 * A tool's error reaches the model and may reach a browser, so no message holds a token, a key, an
 * argument or a person's name.
 *
 * @module
 */

/** [what happened, what to do]. docs/errors.md is this table; a test compares them. */
const TEXT = {
  // The act chain
  act_malformed: [
    'the act claim is not a chain of agents',
    'Decode a token of the identity provider and look at what it puts into `act`.',
  ],
  act_too_deep: [
    'the act chain is deeper than allowed',
    'A chain of more than 8 agents is a loop or an attack; look for agents that delegate to each other.',
  ],
  act_issuer_missing: [
    'an agent behind a foreign issuer does not name its issuer',
    'The identity provider must stamp `iss` on every actor it did not register itself.',
  ],
  act_repeated: [
    'the same agent stands twice in the act chain',
    'Handing back to an earlier agent starts a new chain from the session; do not delegate in a circle.',
  ],
  act_is_subject: [
    'the human stands in the act chain as an agent',
    'Give agents client identifiers that are no user identifiers.',
  ],

  // Sessions
  session_missing: [
    'no verified human session is behind this call',
    'Call it inside `session.agent(...).run(...)`, or say `crumb.unattended(...)` for a job without a human.',
  ],
  session_invalid: [
    'the session token was refused',
    'Send a fresh access token of the configured issuer for the configured audience.',
  ],
  session_expired: ['the session has ended', 'Let the human log in again.'],
  session_machine: [
    'the session token belongs to a machine, not to a human',
    'Use the token of a human login; for a job without a human say `crumb.unattended(...)`.',
  ],
  session_renewal_mismatch: [
    'the renewed token belongs to another login',
    'Renew with a token of the same human and the same session, or open a new session.',
  ],

  // The exchange
  agent_unknown: [
    'this agent is not registered with the exchange',
    'Add it to `issuer.agents` with its own client id and key.',
  ],
  chain_unsupported: [
    'the identity provider cannot express this chain of agents',
    'Use a provider or profile that nests `act`, or delegate less deeply.',
  ],
  exchange_refused: [
    'the identity provider refused to delegate',
    'See `oauthError`, the policy of the provider, and what the human consented to; a retry asks the same again.',
  ],
  exchange_unreachable: [
    'the identity provider gave no usable answer',
    'Check that it is up and its URL is right; the call may be tried again.',
  ],
  token_unverifiable: [
    'the delegation token does not verify',
    'Check issuer, keys, algorithm and token type against the profile; opaque tokens cannot be used.',
  ],
  subject_changed: [
    'the delegation token names another human',
    'The identity provider must keep `sub` through an exchange.',
  ],
  chain_mismatch: [
    'the delegation token names another chain of agents',
    'The identity provider dropped, added or reordered an actor; choose the profile that fits it.',
  ],
  audience_mismatch: [
    'the delegation token is not for exactly this resource',
    'Register the resource with the identity provider as an audience of its own.',
  ],
  scope_widened: [
    'the delegation token allows more than was asked for',
    'Restrict what the identity provider adds to exchanged tokens.',
  ],
  lifetime_widened: [
    'the delegation token lives longer than allowed',
    'Shorten exchanged tokens at the identity provider: at most the life of the session and five minutes.',
  ],
  token_type_mismatch: [
    'the identity provider gave another type of token than asked for',
    'Choose the profile that fits the provider.',
  ],
  binding_missing: [
    'the delegation token is not bound to the key of the agent',
    'Switch on DPoP for the client at the identity provider.',
  ],
  may_act_left: [
    'the delegation token still permits another party to act',
    'The identity provider must not copy `may_act` into exchanged tokens.',
  ],

  // Tokens, before anyone believes them
  token_malformed: [
    'this is not a signed JWT that can be read safely',
    'Send a compact JWS of at most 8,192 characters, without duplicate names, deep nesting or header keys.',
  ],
  token_expired: [
    'the token is not valid at this time',
    'Get a fresh one; if it is fresh, compare the clocks and the longest life that is accepted.',
  ],
  issuer_unknown: [
    'the token comes from another issuer than those configured',
    'Spell the issuer exactly as its tokens do: scheme, host, path and trailing slash.',
  ],
  keys_unavailable: [
    'the keys of the issuer cannot be had',
    'Check that its discovery document and key set are reachable and name the configured issuer; try again.',
  ],

  // Tool calls
  tool_unmapped: [
    'tools without an entry in `resources`',
    'Add `{ resource, action }` for each name, or `resource: "local"` for a tool that calls nothing.',
  ],
  tool_unguarded: [
    'tools that Crumb does not guard',
    'Wrap them with `tools()` or `bind()` of the host integration.',
  ],
  arguments_not_json: [
    'the arguments are not JSON',
    'Tool inputs must be JSON values: no functions, dates, cycles, NaN or lone surrogates.',
  ],
  not_authorized: [
    'no recorded authorization for this action',
    'Ask the human to authorize it; this refusal was asked for by `unauthorized: "refuse"`.',
  ],
  approval_unverified: [
    'the approval cannot be verified',
    'Ask again: an approval holds once, for the same session, agent, tool and arguments, and for ten minutes. Approval settings must be passed to `bind()`.',
  ],
  approval_denied: [
    'the human did not approve this call',
    'Nothing is wrong: the answer was no. It is on record as a refusal.',
  ],
  policy_denied: [
    'the policy of the application denied this call',
    'Nothing is wrong: `toolApproval` said no. It is on record as a refusal.',
  ],
  actor_mismatch: [
    'the tool is bound to another agent',
    'Bind the tools of a sub-agent inside `subAgent()`, not to its parent.',
  ],
  call_missing: [
    'no guarded tool call is running here',
    'Call this inside the `execute` of a guarded tool or inside `invoke`.',
  ],
  resource_denied: [
    'the resource denied the call',
    'The resource answered 401 or 403; see its log for the reason.',
  ],
  intent_unrecorded: [
    'the ledger did not take the intent, so the tool did not run',
    'See `cause`; the call may be tried again once the ledger is writable.',
  ],
  sub_agent_incomplete: [
    'the sub-agent stopped to wait for an approval',
    'Approvals inside sub-agents are not supported: ask in the parent, or use a tool that needs none.',
  ],

  // At the resource
  token_missing: [
    'the request carries no delegation token',
    'Send it in the Authorization header; `planner.fetch` does.',
  ],
  request_malformed: [
    'the request does not carry exactly one token in its Authorization header',
    'Send one header `Authorization: Bearer ...`, and no token in the query.',
  ],
  client_mismatch: [
    'the token was issued to another client than the agent that holds it',
    'The issuer must put the client into the outermost `act`; if it names a user there, say `actor: "user"` for it.',
  ],
  token_development: [
    'the token comes from an identity provider for development',
    'Use a real identity provider; `allowDevelopment` is for a development machine.',
  ],
  token_denied: [
    'the token, its human, its session or one of its agents was denied',
    'Let the human log in again, if the denial no longer holds.',
  ],
  token_replayed: [
    'the token was used before, or the store of used tokens is full',
    'This resource takes each token once: get a fresh one for each call (`oneShot`).',
  ],
  scope_insufficient: [
    'the token lacks a scope that this needs',
    'Ask the human for it, or ask for it in the exchange.',
  ],
  actor_not_allowed: [
    'the agent that holds the token may not call this resource',
    'Add it to `actors` of the guard.',
  ],
  directive_unmet: [
    'no directive in the token covers this action',
    'Ask the human to authorize it. This guard enforces directives.',
  ],
  proof_invalid: [
    'the DPoP proof is absent, used before, or for something else',
    'Send a fresh proof for each request: its method, its address, its token.',
  ],
  guard_unavailable: [
    'something that the guard needs does not answer',
    'See `cause`: the deny-list, the replay store or the log of sightings. The request may be tried again.',
  ],

  // Ledger, vault, evidence
  entry_malformed: [
    'these bytes are not an entry of format crumb/1',
    'See docs/formats/entry-v1.md; run `crumb verify` to find the row.',
  ],
  entry_too_large: [
    'the entry is larger than the format allows',
    'Shorten what is recorded: an entry holds at most 65,535 bytes.',
  ],
  note_malformed: [
    'this is not a signed note or checkpoint',
    'See docs/formats/entry-v1.md, section "Tree heads".',
  ],
  note_unverified: [
    'none of the expected keys signed this note, or one of their signatures is wrong',
    'Check which key signs this ledger: ask its owner by another way than the note came.',
  ],
  key_invalid: [
    'this key cannot be used',
    'Give an Ed25519 key as PKCS#8 PEM, JWK or file path; `crumb keygen` makes one.',
  ],
  ledger_forked: [
    'the ledger does not continue what was signed before',
    'Run `crumb verify`; it names the row. Crumb signs nothing more in this ledger.',
  ],
  ledger_invalid: [
    'this database is not an intact ledger',
    'Check the path. If a table or trigger is missing, someone changed the schema: keep the file and run `crumb verify`.',
  ],
  ledger_key_unknown: [
    'the signing key is not the key of this ledger',
    'Use the key that genesis names; `crumb verify` prints it.',
  ],
  ledger_overloaded: [
    'too many entries wait to be written',
    'Slow down or find out why the disk is slow; 4,096 entries or 16 MiB may wait.',
  ],
  ledger_busy: [
    'the ledger could not be locked in time',
    'Another process holds it; prefer one writer for each ledger.',
  ],
  ledger_unwritable: [
    'the ledger could not be written',
    'See `cause`: disk full, read-only or unreachable.',
  ],
  ledger_closed: ['the ledger is closed', 'Do not use a Crumb after `close()`.'],
  vault_unwritable: [
    'the vault could not be written',
    'See `cause`: disk full, read-only or locked.',
  ],
  vault_invalid: [
    'this database is not an intact vault',
    'Check the path. If it is the right one, a row or table was changed: restore the vault from its own backup.',
  ],
  vault_closed: ['the vault is closed', 'Do not use a Crumb after `close()`.'],
  vault_key_wrong: [
    'the vault does not open with this key',
    'Use the key that the vault was made with; it is apart from the signing key.',
  ],

  // Anchors
  anchor_unreachable: [
    'the anchor gave no usable answer',
    'It is tried again by itself. Check its URL, the network, and whether it is up.',
  ],
  anchor_refused: [
    'the anchor did not take the checkpoint',
    'See `cause`: a log says so for a key or format it does not know, a witness for a ledger it was not told of.',
  ],
  anchor_frozen: [
    'the log is frozen and takes nothing more',
    'Point the anchor at the log that followed it, and keep the old one in the trust root: old receipts need it.',
  ],
  anchor_receipt_invalid: [
    'the receipt of the anchor does not hold',
    'Nothing was stored. Check that the trust root is that of this log, witness or authority; else it lies.',
  ],
  anchor_timeout: [
    'the entries were not covered by an anchor in time',
    'The tool did not run. Its intent stands; see `crumb log`, raise the time limit, or look why anchors lag.',
  ],
  trust_invalid: [
    'this trust root or witness policy cannot be used',
    'Give the text of a `trusted_root.json` or of a C2SP policy, exactly as pinned.',
  ],

  // The command line
  usage_invalid: [
    'the command line is not understood',
    '`crumb help` lists the commands, and `crumb help COMMAND` shows one with examples.',
  ],
  file_exists: [
    'the file is there already and was left alone',
    'Move it away, or name another place with `--out`. A key that signed a ledger must not be lost.',
  ],
  file_unwritable: ['this file cannot be written', 'Check the folder and who may write there.'],
  package_missing: [
    'an optional package is not installed',
    'Install it beside crumb-ai: `npm install --save-dev NAME`.',
  ],
  port_taken: ['another program listens on this port', 'Stop it, or choose another port.'],
  file_unreadable: ['this file cannot be read', 'Check the path and who may read it.'],
  config_invalid: [
    'the configuration is not usable',
    'Run `crumb init` for a commented example, and compare.',
  ],
  development_only: [
    'this part is for development and refuses NODE_ENV=production',
    'Use a real identity provider, log or witness; `--force` overrides, and all that it issues stays marked as development.',
  ],
  folder_in_use: [
    'another process works in this folder',
    'Stop it, or give this one a folder of its own. If nothing runs there, remove the file `lock`.',
  ],
  folder_damaged: [
    'a file of this development log or witness is missing or does not belong to the others',
    'Take another folder, which starts afresh, or bring the files back: it signs nothing that contradicts them.',
  ],
  login_refused: [
    'the development login was refused',
    'See `oauthError`: the person said no, is unknown, or the client, scope or directive is not accepted.',
  ],
  login_failed: [
    'the development login did not come to an end',
    'Check that the issuer is a development identity provider and the client is registered there.',
  ],
} as const satisfies Record<string, readonly [text: string, hint: string]>;

/** Closed, so that switches stay complete. docs/errors.md explains each. */
export type CrumbErrorCode = keyof typeof TEXT;

/** All codes, for documentation and its test. */
export const ERROR_CODES = Object.keys(TEXT) as readonly CrumbErrorCode[]; // the keys of a literal

/** What can be attached to an error. Neither may hold a token, key, argument or personal name. */
export interface CrumbErrorOptions {
  /** What went wrong below. It is for our own log: never shown to a model. */
  readonly cause?: unknown;
  /** Names from the developer's own code, appended to the text. Never from a model, person or token. */
  readonly names?: readonly string[];
}

/** What Crumb throws when it could not do what was asked. Branch on `code`, not on the class. */
export class CrumbError<Code extends CrumbErrorCode = CrumbErrorCode> extends Error {
  override readonly name: string = 'CrumbError';
  readonly code: Code;
  /** What to do about it, for the developer; printed with the error. */
  readonly hint: string;

  constructor(code: Code, options: CrumbErrorOptions = {}) {
    const { cause, names = [] } = options;
    const text = TEXT[code][0];
    super(
      names.length === 0 ? text : `${text}: ${names.join(', ')}`,
      cause === undefined ? {} : { cause },
    );
    this.code = code;
    this.hint = TEXT[code][1];
  }
}

/**
 * The identity provider gave no delegation token.
 *
 * `exchange_refused` is an answer: a retry asks the same again. `exchange_unreachable` is the absence
 * of one, and may be retried.
 */
export class ExchangeError extends CrumbError<'exchange_refused' | 'exchange_unreachable'> {
  override readonly name = 'ExchangeError'; // a literal: class names do not survive minifiers

  /** `error` of the provider's RFC 6749 section 5.2 answer, when it sent one. */
  readonly oauthError: string | undefined;

  constructor(
    code: 'exchange_refused' | 'exchange_unreachable',
    options: CrumbErrorOptions & { readonly oauthError?: string | undefined } = {},
  ) {
    super(code, options);
    this.oauthError = options.oauthError;
  }
}

/** What a token failed after an exchange that the provider called a success. */
export type PostConditionCode =
  | 'token_unverifiable'
  | 'subject_changed'
  | 'chain_mismatch'
  | 'audience_mismatch'
  | 'scope_widened'
  | 'lifetime_widened'
  | 'token_type_mismatch'
  | 'binding_missing'
  | 'may_act_left';

/** The identity provider gave a delegation token that must not be used. It is discarded. */
export class PostConditionError extends CrumbError<PostConditionCode> {
  override readonly name = 'PostConditionError';

  /** The agents that the token names, in order of delegation; undefined if it names none readably. */
  readonly got: readonly { readonly iss: string; readonly sub: string }[] | undefined;

  constructor(
    code: PostConditionCode,
    options: CrumbErrorOptions & { readonly got?: PostConditionError['got'] } = {},
  ) {
    super(code, options);
    this.got = options.got;
  }
}

/** Whether a caught value is one of ours, also when it comes from a second copy of the package. */
export function isCrumbError(error: unknown): error is CrumbError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    Object.hasOwn(TEXT, error.code)
  );
}
