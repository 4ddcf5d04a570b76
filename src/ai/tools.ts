/**
 * `tools()`: guards a set of tools.
 *
 * @module
 */
import type { ActingAgent } from '../gateway/acting-agent.ts';
import { guardSet } from './guard-tool.ts';

/** A set of tools of any version of the AI SDK. The key of each is its name. */
export type GuardableTools = Readonly<Record<string, GuardableTool>>;

/** What matters of a tool: whether it is executed here. */
export type GuardableTool = object & {
  // oxlint-disable-next-line typescript/no-explicit-any -- `execute(input, options)` is all that three versions of the host share
  readonly execute?: ((...args: any[]) => any) | undefined;
};

/**
 * Guards a set of tools: each call is judged, runs under a delegation token of the agent, and leaves an
 * intent and an outcome, or one refusal.
 *
 * Tools without `execute` run elsewhere and stay as they are. Wrapping twice guards once.
 *
 * @param agent Who acts. Without it, the tools belong to whichever agent acts where they are called:
 *   inside `agent.run()` or a sub-agent.
 * @throws {CrumbError} `tool_unmapped`: names every tool without a resource. `actor_mismatch`: names a
 *   tool that is bound to another agent. `tool_unguarded`: names tools that are not own, enumerable
 *   members of the set, which a host would run all the same. A guarded tool itself throws the codes of
 *   `agent.invoke()`, and `session_missing`, `actor_mismatch`.
 */
export function tools<const T extends GuardableTools>(agent: ActingAgent, toolSet: T): T;
export function tools<const T extends GuardableTools>(toolSet: T): T;
export function tools(
  ...given: readonly [ActingAgent, GuardableTools] | readonly [GuardableTools]
): GuardableTools {
  if (given.length === 1) return guardSet(given[0], { acting: undefined });
  const [acting, toolSet] = given;
  return guardSet(toolSet, { acting });
}
