/**
 * What a human authorised: directives of type `crumb_tool_call` in RFC 9396 `authorization_details`,
 * or, where there are none, scopes that name configured resources.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9396
 * @module
 */
import { parseArgumentSchema, type ArgumentSchema } from './argument-schema.ts';
import { toJson } from './canonical.ts';
import type { Json } from './tool-call.ts';

/** `type` of the authorization detail that carries a directive. */
export const DIRECTIVE_TYPE = 'crumb_tool_call';

export type DirectiveSource = 'authorization_details' | 'scope' | 'approval';

/** One thing that a human authorised. Directives are alternatives and are never merged. */
export interface Directive {
  readonly source: DirectiveSource;
  readonly actions: readonly string[];
  /** `locations` in RFC 9396. */
  readonly resources: readonly string[];
  /** Absent: any arguments. Present: closed, each named argument is required unless in `optional`. */
  readonly args?: Readonly<Record<string, ArgumentSchema>>;
  readonly optional: readonly string[];
  /** Subjects at the session's issuer; every actor of a chain must be listed. Absent: any agent. */
  readonly agents?: readonly string[];
  readonly expires?: Date;
  readonly maxUses?: number;
  /** Only for `approval`: the one call that was approved. */
  readonly callId?: string;
}

/** End of the year 9999: what an entry can write. A `Date` beyond 275760 would never be reached. */
const LAST_SECOND = 253_402_300_799;

/** What a token says about authorisation. */
export interface ParsedDirectives {
  readonly directives: readonly Directive[];
  /** Positions in `authorization_details` of directives that cannot be read. They authorise nothing. */
  readonly malformed: readonly number[];
}

/** A scope that stands for an action at a resource. */
export interface ScopedResource {
  readonly scope: string;
  readonly resource: string;
  readonly action: string;
}

/** Scopes of a login: they ask for claims about the human, and never allow an action. */
const OPENID_SCOPES = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']);

const MEMBERS = new Set([
  'type',
  'actions',
  'locations',
  'arguments',
  'optional',
  'expires',
  'max_uses',
  'agents',
]);

/**
 * Reads what the human authorised out of verified token claims.
 *
 * Scopes count only without any `crumb_tool_call` detail: a malformed detail gives no directive and no
 * fallback, or damaging a detail would widen what was allowed.
 *
 * @param claims `authorization_details` and `scope` of a token whose signature is verified.
 * @param scoped Configured resources with the scope that names each; `[]` switches the fallback off.
 */
export function parseDirectives(
  claims: { readonly authorizationDetails?: unknown; readonly scope?: unknown },
  scoped: readonly ScopedResource[],
): ParsedDirectives {
  const details: unknown = claims.authorizationDetails;
  if (details !== undefined && !Array.isArray(details)) return { directives: [], malformed: [0] };
  const directives: Directive[] = [];
  const malformed: number[] = [];
  for (const [n, detail] of (details ?? []).entries()) {
    const type = membersOf(detail)?.get('type');
    // One without a type is no detail at all: it may have been ours before it was damaged.
    if (typeof type === 'string' && type !== DIRECTIVE_TYPE) continue;
    const directive = parseDirective(detail);
    if (directive === undefined) malformed.push(n);
    else directives.push(directive);
  }
  // An empty list says that nothing is left; only its absence says nothing.
  if (directives.length > 0 || malformed.length > 0 || details?.length === 0) {
    return { directives, malformed };
  }
  return { directives: fromScope(claims.scope, scoped), malformed };
}

/** One `crumb_tool_call` detail; undefined if any member is unknown or of the wrong shape. */
export function parseDirective(detail: unknown): Directive | undefined {
  const members = membersOf(detail);
  if (members?.get('type') !== DIRECTIVE_TYPE) return undefined;
  if ([...members.keys()].some((name) => !MEMBERS.has(name))) return undefined;

  const actions = members.get('actions');
  const locations = members.get('locations');
  const optional = members.has('optional') ? members.get('optional') : [];
  const agents = members.get('agents');
  const expires = members.get('expires');
  const maxUses = members.get('max_uses');
  const args = members.has('arguments') ? parseArguments(members.get('arguments')) : 'any';

  if (!isNames(actions) || !isNames(locations) || args === undefined) return undefined;
  if (!Array.isArray(optional) || !optional.every(isText)) return undefined;
  // An optional argument that no schema describes is a slip that would silently never match.
  if (!optional.every((name) => args !== 'any' && Object.hasOwn(args, name))) return undefined;
  if (agents !== undefined && !isNames(agents)) return undefined;
  if (expires !== undefined && !(isCount(expires) && expires <= LAST_SECOND)) return undefined;
  if (maxUses !== undefined && !(isCount(maxUses) && maxUses > 0)) return undefined;

  return {
    source: 'authorization_details',
    actions,
    resources: locations,
    ...(args === 'any' ? {} : { args }),
    optional,
    ...(agents === undefined ? {} : { agents }),
    ...(expires === undefined ? {} : { expires: new Date(expires * 1000) }),
    ...(maxUses === undefined ? {} : { maxUses }),
  };
}

/** A yes to one exact call: every argument `const`, one use. */
export function directiveOfApproval(call: {
  readonly id: string;
  readonly resource: string;
  readonly action: string;
  readonly args: Json;
  readonly expires: Date;
}): Directive | undefined {
  const members = membersOf(call.args);
  if (members === undefined) return undefined;
  const args = Object.fromEntries(
    Array.from(members, ([name, value]) => [name, { const: toJson(value) }]),
  );
  return {
    source: 'approval',
    actions: [call.action],
    resources: [call.resource],
    args,
    optional: [],
    expires: call.expires,
    maxUses: 1,
    callId: call.id,
  };
}

function fromScope(scope: unknown, scoped: readonly ScopedResource[]): readonly Directive[] {
  // A missing scope is not all scopes.
  if (typeof scope !== 'string') return [];
  const granted = new Set(scope.split(' '));
  return scoped
    .filter((entry) => granted.has(entry.scope) && !OPENID_SCOPES.has(entry.scope))
    .map(({ resource, action }) => ({
      source: 'scope',
      actions: [action],
      resources: [resource],
      optional: [],
    }));
}

function parseArguments(value: unknown): Record<string, ArgumentSchema> | undefined {
  const members = membersOf(value);
  if (members === undefined) return undefined;
  const args = new Map<string, ArgumentSchema>();
  for (const [name, schema] of members) {
    const parsed = parseArgumentSchema(schema);
    if (parsed === undefined) return undefined;
    args.set(name, parsed);
  }
  return Object.fromEntries(args);
}

/** Own members of a plain object; a Map, so that `__proto__` is a name like any other. */
function membersOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value));
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.isWellFormed();
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
