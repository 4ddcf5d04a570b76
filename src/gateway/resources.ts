/**
 * Which resource and action each tool stands for. The developer says so; a model's words never do.
 *
 * @module
 */
import type { ScopedResource } from '../attribution/directive.ts';
import { CrumbError } from '../errors.ts';

/** `resource` of a tool that calls no resource: it is judged and recorded, but gets no token. */
export const LOCAL = 'local';

/** What a tool calls. */
export interface ResourceEntry {
  /** The resource server as the identity provider knows it (the token's audience), or `local`. */
  readonly resource: string;
  /** What the tool does there; directives name it. */
  readonly action: string;
  /** Scope to ask for. Default: the action. */
  readonly scope?: string;
  /** Where the resource is reached, if its name is no address: requests under it carry the token. */
  readonly url?: string;
  /** A fresh token for each call, for resources that take each token once. Default false. */
  readonly oneShot?: boolean;
  /**
   * Waits, after the intent and before the tool runs, until anchors (`anchored`) or witnesses
   * (`witnessed`) cover it; for calls that must not run unless nobody can make them unseen. After 30
   * seconds the call is refused with `anchor_timeout`.
   */
  readonly until?: 'anchored' | 'witnessed';
  /** What the vault keeps besides the salts. Default: arguments, not results. */
  readonly store?: { readonly args?: boolean; readonly result?: boolean };
}

/** By tool name, or a function of it. A function switches the scope fallback of directives off. */
export type Resources =
  Readonly<Record<string, ResourceEntry>> | ((tool: string) => ResourceEntry | undefined);

/** The entry of a tool. @throws {CrumbError} `tool_unmapped` */
export function resourceOf(resources: Resources, tool: string): ResourceEntry {
  const entry = findResource(resources, tool);
  if (entry === undefined) throw new CrumbError('tool_unmapped', { names: [tool] });
  return entry;
}

/** Refuses a set of tools as a whole, naming every one that is not mapped. */
export function requireMapped(resources: Resources, tools: readonly string[]): void {
  const names = tools.filter((tool) => findResource(resources, tool) === undefined);
  if (names.length > 0) throw new CrumbError('tool_unmapped', { names });
}

export function scopeOf(entry: ResourceEntry): string {
  return entry.scope ?? entry.action;
}

/** Scopes that can stand for a directive. */
export function scopedResources(resources: Resources): readonly ScopedResource[] {
  if (typeof resources === 'function') return [];
  return Object.values(resources)
    .filter((entry) => entry.resource !== LOCAL)
    .map((entry) => ({ scope: scopeOf(entry), resource: entry.resource, action: entry.action }));
}

/** The entry of a tool, if the configuration knows it. */
export function findResource(resources: Resources, tool: string): ResourceEntry | undefined {
  if (typeof resources === 'function') return resources(tool);
  return Object.hasOwn(resources, tool) ? resources[tool] : undefined;
}
