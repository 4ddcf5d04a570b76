/**
 * What a host finds in a set of tools: it looks a name up that a model says, wherever it is.
 *
 * @module
 */
import { member } from './member.ts';

/**
 * Names of tools that a look-up finds, and no walk through the set's own enumerable members: on its
 * prototypes, or hidden. Nothing can guard them in their place, so they are not allowed there.
 */
export function hiddenTools(toolSet: object): readonly string[] {
  const seen = new Set<PropertyKey>(Object.keys(toolSet));
  const names: string[] = [];
  let level: object | null = toolSet;
  for (; level !== null && level !== Object.prototype; level = Reflect.getPrototypeOf(level)) {
    for (const key of Reflect.ownKeys(level)) {
      if (seen.has(key)) continue;
      seen.add(key);
      if (runsHere(Reflect.get(toolSet, key))) names.push(String(key));
    }
  }
  return names;
}

/** Whether this process executes it, or what the host replaces it by. */
export function runsHere(tool: unknown): boolean {
  return typeof member(tool, 'execute') === 'function' || localCallerOf(tool) !== undefined;
}

/** Code mode: a tool that the host replaces, for each step, by one that can call other tools. */
export function localCallerOf(tool: unknown): LocalCaller | undefined {
  const caller = member(tool, 'experimental_toolCaller');
  return isLocalCaller(caller) ? caller : undefined;
}

interface LocalCaller {
  bind(tools: unknown): unknown;
}

function isLocalCaller(caller: unknown): caller is LocalCaller {
  return member(caller, 'type') === 'local' && typeof member(caller, 'bind') === 'function';
}
