/**
 * `bind()`: what one agent needs for one generation, ready to be spread into its settings.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { DecisionRecord } from '../evidence/kinds.ts';
import type { ActingAgent } from '../gateway/acting-agent.ts';
import { approvalSecret } from '../gateway/approvals.ts';
import { guardSet } from './guard-tool.ts';
import { createApprovals, type ApprovalStatus } from './tool-approval.ts';
import type { GuardableTool, GuardableTools } from './tools.ts';

/** `toolApproval` of AI SDK 7 in both of its forms: a function, or a map by tool name. */
export type ToolApproval<T> = ApproveAny | ToolApprovalMap<T>;

/** A status or a function for some of the tools. */
export type ToolApprovalMap<T> = {
  readonly [Name in keyof T]?: ApprovalStatus | ApproveOne<ToolInput<T[Name]>>;
};

/** What the host tells a function that is asked about all tools. */
export interface GenericApprovalOptions {
  readonly toolCall: {
    readonly toolCallId: string;
    readonly toolName: string;
    // oxlint-disable-next-line typescript/no-explicit-any -- each tool has its own; the host types it as a union
    readonly input: any;
  };
  readonly messages: readonly ApprovalMessage[];
  readonly runtimeContext: unknown;
}

/** What the host tells a function that is asked about one tool. */
export interface ToolApprovalOptions {
  readonly toolCallId: string;
  readonly messages: readonly ApprovalMessage[];
  readonly toolContext: unknown;
  readonly runtimeContext: unknown;
}

/** A message of the conversation, as far as all versions agree. */
export interface ApprovalMessage {
  readonly role: string;
  readonly content: unknown;
}

/** Methods compare their parameters both ways, so that the host's own function types fit too. */
type ApproveAny = {
  ask(options: GenericApprovalOptions): ApprovalStatus | PromiseLike<ApprovalStatus>;
}['ask'];

type ApproveOne<Input> = {
  ask(input: Input, options: ToolApprovalOptions): ApprovalStatus | PromiseLike<ApprovalStatus>;
}['ask'];

type ToolInput<Tool> = Tool extends {
  execute?: ((input: infer Input, ...more: never) => unknown) | undefined;
}
  ? Input
  : unknown;

/** What {@link bind} is given. */
export interface BindOptions<T> {
  /** The tools; those that were guarded for no agent in particular are bound to this one. */
  readonly tools: T;
  /**
   * The application's approval settings, in the host's own form. Given beside `bind()` instead, their
   * approvals are refused: nobody would remember what was asked.
   *
   * Only version 7 asks them; earlier ones would run the tools unasked, so there the tools throw a
   * `TypeError`. Use `needsApproval` of the tools with version 6.
   */
  readonly toolApproval?: ToolApproval<NoInfer<Exclude<T, undefined>>> | undefined;
}

/** What {@link bind} gives: settings of `generateText`, `streamText` and `ToolLoopAgent`. */
export type Bound<T> = (undefined extends T
  ? { readonly tools?: Exclude<T, undefined> }
  : { readonly tools: T }) & {
  /** Binds the host's approval signatures to this human, session and agent. A secret: never send it. */
  readonly experimental_toolApprovalSecret: Uint8Array;
};

/**
 * Guards tools as {@link tools} does, and makes approvals bind: a human's yes holds once, for the same
 * session, agent, tool and arguments, and for ten minutes.
 *
 * Approvals work in AI SDK 6 and 7; version 5 has none.
 *
 * @example streamText({ model, messages, ...bind(planner, { tools, toolApproval }) })
 * @throws {CrumbError} As `tools()`.
 */
export function bind<const T extends GuardableTools | undefined>(
  agent: ActingAgent,
  options: BindOptions<T> & { readonly toolApproval: ToolApproval<NoInfer<Exclude<T, undefined>>> },
): Bound<T> & { readonly toolApproval: ToolApproval<Exclude<T, undefined>> };
export function bind<const T extends GuardableTools | undefined>(
  agent: ActingAgent,
  options: BindOptions<T> & { readonly toolApproval?: undefined },
): Bound<T>;
export function bind<const T extends GuardableTools | undefined>(
  agent: ActingAgent,
  options: BindOptions<T>,
): Bound<T> & { readonly toolApproval?: ToolApproval<Exclude<T, undefined>> };
export function bind(agent: ActingAgent, options: BindOptions<GuardableTools | undefined>): object {
  return settingsOf(agent, options.tools, options.toolApproval);
}

function settingsOf(
  agent: ActingAgent,
  toolSet: Readonly<Record<string, GuardableTool>> | undefined,
  toolApproval: unknown,
): object {
  const decisions = new Map<string, DecisionRecord>();
  const decisionOf = (id: string): DecisionRecord | undefined => {
    const decision = decisions.get(id);
    decisions.delete(id); // some providers give the same id again
    return decision;
  };
  const hasPolicy = toolApproval !== undefined;
  const guarded = guardSet(toolSet ?? {}, { acting: agent, decisionOf, hasPolicy });
  const approvals = createApprovals(agent, { toolSet: guarded, decisions });
  return {
    ...(toolSet === undefined ? {} : { tools: approvals.wrapNeeds(guarded) }),
    ...(toolApproval === undefined ? {} : { toolApproval: approvals.wrap(toolApproval) }),
    // Without a human nobody can approve: a secret that is never used again lets no approval pass.
    experimental_toolApprovalSecret: approvalSecret(agent) ?? new Uint8Array(randomBytes(32)),
  };
}
