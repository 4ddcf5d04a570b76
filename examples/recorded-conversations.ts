/**
 * Conversations in OpenAI's chat format, as many tools record them, read for a replay.
 *
 * @module
 */
import type { Json } from 'crumb-ai';

/** Something that a human asked for: a tool, and the arguments to call it with. */
export interface Action {
  readonly name: string;
  readonly kwargs: Readonly<Record<string, Json>>;
}

/** A tool call that a model made. */
export interface RecordedCall {
  readonly id: string | undefined;
  readonly tool: string;
  readonly args: Json;
  /** What the tool answered then. */
  readonly answer: string;
}

export interface Conversation {
  readonly human: string;
  readonly asked: readonly Action[];
  readonly calls: readonly RecordedCall[];
}

/** The file is not what it should be. The message says where. */
export class MalformedFileError extends Error {
  override readonly name = 'MalformedFileError';
}

/** @throws {MalformedFileError} */
export function parseConversations(text: string): readonly Conversation[] {
  const value = parseJson(text);
  if (!Array.isArray(value) || value.length === 0) {
    throw new MalformedFileError('the file must hold a JSON list of conversations');
  }
  return value.map((item: unknown, n) => parseConversation(item, `conversation ${n}`));
}

/** Both shapes are in use: plain members, and those of tau-bench's results. */
function parseConversation(item: unknown, where: string): Conversation {
  const task = memberOf(memberOf(item, 'info'), 'task');
  const human = memberOf(item, 'user') ?? memberOf(task, 'user_id');
  const messages = memberOf(item, 'messages') ?? memberOf(item, 'traj');
  const actions = memberOf(item, 'actions') ?? memberOf(task, 'actions') ?? [];
  if (typeof human !== 'string' || human === '') {
    throw new MalformedFileError(`${where}: no human in "user" or "info.task.user_id"`);
  }
  if (!Array.isArray(messages)) {
    throw new MalformedFileError(`${where}: no list of messages in "messages" or "traj"`);
  }
  if (!Array.isArray(actions)) {
    throw new MalformedFileError(`${where}: "actions" is not a list`);
  }
  const answers = new Map(
    messages.map((message: unknown) => [
      memberOf(message, 'tool_call_id'),
      memberOf(message, 'content'),
    ]),
  );
  return {
    human,
    asked: actions.map((action: unknown, n) => parseAction(action, `${where}, action ${n}`)),
    calls: messages.flatMap((message: unknown, n) => {
      const calls: unknown = memberOf(message, 'tool_calls') ?? [];
      const place = `${where}, message ${n}`;
      if (!Array.isArray(calls))
        throw new MalformedFileError(`${place}: "tool_calls" is not a list`);
      return calls.map((call: unknown) => parseCall(call, answers, place));
    }),
  };
}

function parseAction(action: unknown, where: string): Action {
  const name = memberOf(action, 'name');
  const kwargs = memberOf(action, 'kwargs') ?? {};
  if (!isToolName(name)) throw new MalformedFileError(`${where}: no tool's name in "name"`);
  if (!isJsonObject(kwargs)) throw new MalformedFileError(`${where}: "kwargs" is not an object`);
  return { name, kwargs };
}

function parseCall(
  call: unknown,
  answers: ReadonlyMap<unknown, unknown>,
  where: string,
): RecordedCall {
  const id = memberOf(call, 'id');
  const tool = memberOf(memberOf(call, 'function'), 'name');
  const args = memberOf(memberOf(call, 'function'), 'arguments');
  if (!isToolName(tool) || typeof args !== 'string') {
    throw new MalformedFileError(`${where}: a call without "function.name" or "arguments"`);
  }
  const answer = answers.get(id);
  return {
    id: typeof id === 'string' ? id : undefined,
    tool,
    args: parseArguments(args),
    answer: typeof answer === 'string' ? answer : JSON.stringify(answer ?? null),
  };
}

/** Models also write what is no JSON. Such a call was made all the same, with that text. */
function parseArguments(text: string): Json {
  try {
    const args: Json = text.trim() === '' ? {} : JSON.parse(text);
    return args;
  } catch {
    return text;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedFileError('the file is not JSON', { cause });
  }
}

/** As OpenAI allows them; they are also the scopes of the replay's resource. */
function isToolName(name: unknown): name is string {
  return typeof name === 'string' && /^[\w-]{1,64}$/.test(name);
}

/** All of this was read from JSON, so an object's members are JSON too. */
function isJsonObject(value: unknown): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
