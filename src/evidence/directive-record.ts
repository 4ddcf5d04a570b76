/**
 * A directive as an entry keeps it, and back again: what it allows lies open, except for argument
 * values, which may be personal and stand behind a commitment.
 *
 * @module
 */
import { parseDirective, type Directive } from '../attribution/directive.ts';
import { toJson } from '../attribution/canonical.ts';
import type { Json } from '../attribution/tool-call.ts';
import type { Commitment, DirectiveRecord } from './kinds.ts';

/**
 * What a directive's `args` commits to, with label `directive`: `{"arguments": {...}, "optional":
 * [...]}`. Null if it allows any arguments.
 */
export function directiveArgs(directive: Directive): Json | null {
  const { args, optional } = directive;
  return args === undefined ? null : toJson({ arguments: args, optional });
}

/**
 * The record of a directive.
 *
 * @param args Commitment to {@link directiveArgs}; null exactly if that is.
 */
export function recordDirective(directive: Directive, args: Commitment | null): DirectiveRecord {
  if ((args === null) !== (directive.args === undefined)) {
    throw new TypeError('a commitment stands exactly where arguments are limited');
  }
  const { source, actions, resources, agents, expires, maxUses } = directive;
  return {
    source,
    actions,
    resources,
    args,
    agents: agents ?? null,
    expires: expires?.toISOString() ?? null,
    maxUses: maxUses ?? null,
  };
}

/**
 * The directive that a record speaks of, to judge by it again.
 *
 * @param openedArgs What opened the record's `args`, checked against it; null if that is null.
 * @returns Undefined if what was opened is no limit on arguments: then nothing can be judged.
 */
export function directiveOf(
  record: DirectiveRecord,
  openedArgs: Json | null,
): Directive | undefined {
  if ((record.args === null) !== (openedArgs === null)) return undefined;
  const limits = openedArgs === null ? {} : limitsOf(openedArgs);
  if (limits === undefined) return undefined;
  const { source, actions, resources, agents, expires, maxUses } = record;
  return {
    source,
    actions,
    resources,
    optional: [],
    ...limits,
    ...(agents === null ? {} : { agents }),
    ...(expires === null ? {} : { expires: new Date(expires) }),
    ...(maxUses === null ? {} : { maxUses }),
  };
}

/** Read by the same code as in a token, so that the same schemas count. */
function limitsOf(opened: Json): Pick<Directive, 'args' | 'optional'> | undefined {
  if (typeof opened !== 'object' || opened === null || Array.isArray(opened)) return undefined;
  const members = new Map<string, unknown>(Object.entries(opened));
  if (members.size !== 2 || !members.has('arguments') || !members.has('optional')) return undefined;
  const parsed = parseDirective({
    type: 'crumb_tool_call',
    actions: ['any'],
    locations: ['any'],
    arguments: members.get('arguments'),
    optional: members.get('optional'),
  });
  if (parsed?.args === undefined) return undefined;
  return { args: parsed.args, optional: parsed.optional };
}
