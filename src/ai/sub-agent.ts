/**
 * `subAgent()`: a tool that hands a task to another agent, one hop deeper.
 *
 * The host passes nothing from parent to child. What crosses here is the session, the chain, the
 * reference to the parent's crumb and the abort signal; no token, no approval, no message.
 *
 * @module
 */
import type { UIMessage } from 'ai';
import { CrumbError } from '../errors.ts';
import type { ActingAgent } from '../gateway/acting-agent.ts';
import { openDelegation } from '../gateway/create-acting.ts';
import { guard, signalOf } from './guard.ts';
import { guardedOf, type Work } from './guarded.ts';
import { isGuardedTool } from './guard-tool.ts';
import { member } from './member.ts';
import { generate, lastText, stream, type RunnableAgent } from './run-agent.ts';
import { hiddenTools } from './tool-set.ts';

/** What a schema parses, of zod, of any other Standard Schema, or of the host's `jsonSchema()`. */
export type SchemaOutput<Schema> = Schema extends {
  readonly '~standard': { readonly types?: { readonly output: infer Output } | undefined };
}
  ? Output
  : Schema extends { readonly _type: infer Output }
    ? Output
    : Schema extends () => infer Lazy
      ? SchemaOutput<Lazy>
      : unknown;

/** What {@link subAgent} is given. */
export interface SubAgentOptions<Schema extends object, Streams extends boolean> {
  /** Who the child is: its name in `issuer.agents`. Never taken from a model. */
  readonly actor: string;
  /**
   * The agent that runs: `ToolLoopAgent`, or anything with `tools`, `generate` and `stream`. Its tools come
   * from `tools(toolSet)` without an agent; or it is a function that makes it for the acting child.
   */
  readonly agent: RunnableAgent | ((acting: ActingAgent) => RunnableAgent);
  /** For the parent's model. */
  readonly description: string;
  readonly inputSchema: Schema;
  /** The child's prompt. Default: the input's only text, or the input as JSON. */
  readonly prompt?: (input: SchemaOutput<Schema>) => string;
  /** Shows the child's work as it goes on; its output is then a `UIMessage`. Default false. */
  readonly stream?: Streams;
}

/** A tool for any version of the AI SDK. */
export interface SubAgentTool<Schema extends object, Output> {
  readonly description: string;
  readonly inputSchema: Schema;
  // The options differ between versions of the host, which is why nothing is asked of them.
  execute(input: SchemaOutput<Schema>, options: unknown): Output;
  /** The model sees only the last text. */
  toModelOutput(output: unknown): { type: 'text'; value: string };
}

/**
 * Makes a tool that delegates to another agent: the parent's call is recorded as a delegation, the child
 * gets its own link in the act chain, and every call of the child names both.
 *
 * Guard it like any tool, by `bind()` or `tools()`. If the hop cannot be had, the child never runs.
 *
 * @throws {CrumbError} `tool_unguarded`: names tools of the agent that would run past the guard.
 *   `actor_mismatch`: names tools that are bound to another agent. The tool itself throws what
 *   `agent.delegate()` throws, and `sub_agent_incomplete` if the child stops to wait for an approval.
 */
export function subAgent<Schema extends object>(
  options: SubAgentOptions<Schema, true> & { readonly stream: true },
): SubAgentTool<Schema, AsyncIterable<UIMessage>>;
export function subAgent<Schema extends object>(
  options: SubAgentOptions<Schema, false>,
): SubAgentTool<Schema, Promise<string>>;
export function subAgent<Schema extends object>(options: SubAgentOptions<Schema, boolean>): object {
  const { actor, agent, description, inputSchema } = options;
  if (typeof agent !== 'function') {
    requireGuarded(agent);
    requireUnbound(agent);
  }
  return {
    description,
    inputSchema,
    execute: guard({ name: actor, acting: undefined, work: delegationTo(options) }),
    toModelOutput: (output: unknown) => ({ type: 'text', value: lastText(output) }),
  };
}

function delegationTo<Schema extends object>(options: SubAgentOptions<Schema, boolean>): Work {
  const { actor, agent, prompt = promptOf, stream: streams = false } = options;
  return {
    streams,
    delegateTo: actor,
    async open(acting, request) {
      const { call, acting: child } = await openDelegation(acting, actor, request);
      const run = (hostOptions: unknown): unknown => {
        const running = typeof agent === 'function' ? agent(child) : agent;
        requireGuarded(running);
        // The host parsed it with this schema, and the record holds it as JSON.
        const input = call.args as SchemaOutput<Schema>;
        const task = { prompt: prompt(input), signal: signalOf(hostOptions) };
        return streams ? stream(running, task) : generate(running, task);
      };
      return { scope: { acting: child }, close: call.close, run };
    },
  };
}

/** A raw tool would act with no token and leave no crumb, also one that only a look-up by name finds. */
function requireGuarded({ tools }: RunnableAgent): void {
  const raw = toolsOf(tools)
    .filter(([, tool]) => typeof member(tool, 'execute') === 'function' && !isGuardedTool(tool))
    .map(([name]) => name);
  const names = [...raw, ...(isObject(tools) ? hiddenTools(tools) : [])];
  if (names.length > 0) throw new CrumbError('tool_unguarded', { names });
}

/** An agent that exists before its parent's session cannot have tools of anybody's. */
function requireUnbound({ tools }: RunnableAgent): void {
  const names = toolsOf(tools)
    .filter(([, tool]) => guardedOf(member(tool, 'execute'))?.acting !== undefined)
    .map(([name]) => name);
  if (names.length > 0) throw new CrumbError('actor_mismatch', { names });
}

function toolsOf(tools: unknown): readonly (readonly [string, unknown])[] {
  return isObject(tools) ? Object.entries(tools) : [];
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** `{ task: 'Read record 42.' }` says what is to be done; anything richer is for the agent to read. */
function promptOf(input: unknown): string {
  const values: readonly unknown[] =
    typeof input === 'object' && input !== null ? Object.values(input) : [input];
  const [only, ...others] = values;
  return typeof only === 'string' && others.length === 0 ? only : JSON.stringify(input);
}
