/**
 * One tool and one set of tools, guarded.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import { stateOf, type ActingAgent } from '../gateway/acting-agent.ts';
import { recordToolCall } from '../gateway/record-tool-call.ts';
import { requireMapped } from '../gateway/resources.ts';
import { withMembers } from './copy.ts';
import { guard } from './guard.ts';
import { guardedOf, isGuarded, type Execute, type Guarded, type Work } from './guarded.ts';
import { member } from './member.ts';
import { isSameActing } from './same-acting.ts';
import { hiddenTools, localCallerOf, runsHere } from './tool-set.ts';

/** By whom tools are guarded, and what is known of the calls. */
export type Guarding = Pick<Guarded, 'acting' | 'decisionOf' | 'hasPolicy'>;

/**
 * Guards every tool of a set that this process executes; the others stay as they are. The result has
 * what was walked through and nothing else: what it inherited, a host would find by name.
 */
export function guardSet<T extends object>(toolSet: T, guarding: Guarding): T {
  const names = hiddenTools(toolSet);
  if (names.length > 0) throw new CrumbError('tool_unguarded', { names });
  const guarded = Object.entries(toolSet).map(
    ([name, tool]) => [name, guardTool(name, tool, guarding)] as const,
  );
  requireResources(guarding.acting, guarded);
  const prototype = Reflect.getPrototypeOf(toolSet) === null ? null : Object.prototype;
  const bare = Object.create(prototype) as object; // which `create` always gives
  return withMembers(bare, Object.fromEntries(guarded)) as T; // it has all that is own and enumerable
}

/** Guards one tool under its name. What has no `execute` runs elsewhere, and cannot be guarded here. */
function guardTool(name: string, tool: unknown, guarding: Guarding): unknown {
  // A function has no copy that could be guarded in its place.
  if (typeof tool === 'function' && runsHere(tool)) {
    throw new CrumbError('tool_unguarded', { names: [name] });
  }
  if (typeof tool !== 'object' || tool === null) return tool;
  const execute = member(tool, 'execute');
  const members: Record<string, unknown> = {};
  if (isExecute(execute)) members['execute'] = guardExecute(name, { tool, execute }, guarding);
  const caller = localCallerOf(tool);
  if (caller !== undefined) {
    const bind = (tools: unknown): unknown => guardTool(name, caller.bind(tools), guarding);
    members['experimental_toolCaller'] = withMembers(caller, { bind });
  }
  warnOfInputHooks(name, tool);
  return Object.keys(members).length === 0 ? tool : withMembers(tool, members);
}

function guardExecute(
  name: string,
  { tool, execute }: { readonly tool: object; readonly execute: Execute },
  guarding: Guarding,
): Execute {
  const { acting } = guarding;
  const before = guardedOf(execute);
  if (before === undefined) {
    // Another copy of the package guards it: a second guard would write everything twice.
    if (isGuarded(execute)) return execute;
    return guard({ ...guarding, name, work: workOf(tool, execute) });
  }
  // The inner work is guarded anew, not the guard: one call leaves one pair of crumbs.
  if (before.acting === undefined) return guard({ ...guarding, name, work: before.work });
  if (acting !== undefined && !isSameActing(acting, before.acting)) {
    throw new CrumbError('actor_mismatch', { names: [name] });
  }
  return guard(acting === undefined ? { ...before, name } : { ...before, ...guarding, name });
}

/** The work of a tool: exactly what was judged is what it is given. */
function workOf(tool: object, execute: Execute): Work {
  return {
    streams: Object.prototype.toString.call(execute) === '[object AsyncGeneratorFunction]',
    async open(acting, request) {
      const { scope, args, close } = await recordToolCall(acting, request);
      return { scope, close, run: (options) => execute.call(tool, args, options) };
    },
  };
}

/** Names every tool without a resource at once; delegations have theirs from the agent's name. */
function requireResources(
  acting: ActingAgent | undefined,
  tools: readonly (readonly [string, unknown])[],
): void {
  if (acting === undefined) return; // nobody knows yet whose configuration it will be
  const names = tools
    .filter(([, tool]) => isGuardedTool(tool) && !isDelegation(tool))
    .map(([name]) => name);
  requireMapped(stateOf(acting).gateway.resources, names);
}

/** Whether a tool is guarded, or replaced by a guarded one before it runs. */
export function isGuardedTool(tool: unknown): boolean {
  if (isGuarded(member(tool, 'execute'))) return true;
  return typeof tool === 'object' && tool !== null && localCallerOf(tool) !== undefined;
}

function isDelegation(tool: unknown): boolean {
  return guardedOf(member(tool, 'execute'))?.work.delegateTo !== undefined;
}

export function isExecute(value: unknown): value is Execute {
  return typeof value === 'function';
}

const INPUT_HOOKS = ['onInputStart', 'onInputDelta', 'onInputAvailable'];

const warned = new WeakSet<object>();

/** The host calls these before anybody approved or judged anything. */
function warnOfInputHooks(name: string, tool: object): void {
  const hooks = INPUT_HOOKS.filter((hook) => typeof member(tool, hook) === 'function');
  if (hooks.length === 0 || warned.has(tool)) return;
  warned.add(tool);
  process.emitWarning(
    `${hooks.join(', ')} of the tool "${name}" run before approval and guard: do nothing there that needs either`,
    { type: 'CrumbWarning', code: 'CRUMB_INPUT_HOOK' },
  );
}
