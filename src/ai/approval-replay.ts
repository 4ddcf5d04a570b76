/**
 * Whether the host runs a call because an approval of an earlier turn came back with the history.
 *
 * @module
 */
import { listIn, listOf, member, textIn } from './member.ts';

/**
 * Mirrors how the host collects approvals: the last message is a `tool` message that approves a request
 * for this very call and holds no result of it. Anything looser would take honest calls for replays when
 * a provider gives the same ids again; anything stricter would let a posted yes pass as a model's call.
 */
export function isApprovalReplay(messages: unknown, callId: string): boolean {
  const answers = answersIn(messages);
  return answers.some(({ id, approved }) => approved && id === callId);
}

/** Ids of calls to which the last message says no. */
export function deniedCalls(messages: unknown): readonly string[] {
  return answersIn(messages)
    .filter(({ approved }) => !approved)
    .map(({ id }) => id);
}

/** What the last message answers to requests for approval: each call's first answer, if it has no result. */
function answersIn(messages: unknown): readonly { id: string; approved: boolean }[] {
  const last = listOf(messages).at(-1);
  if (member(last, 'role') !== 'tool') return [];
  const parts = listIn(last, 'content');
  const settled = new Set(
    parts.filter((part) => isA(part, 'tool-result')).map((part) => member(part, 'toolCallId')),
  );
  const asked = requestsIn(messages);
  return parts
    .filter((part) => isA(part, 'tool-approval-response'))
    .flatMap((part) => {
      const id = asked.get(textIn(part, 'approvalId'));
      if (id === undefined || settled.has(id)) return [];
      return [{ id, approved: Boolean(member(part, 'approved')) }];
    });
}

/** Call ids by approval id; a later request of the same id replaces an earlier one, as in the host. */
function requestsIn(messages: unknown): ReadonlyMap<string | undefined, string> {
  const parts = listOf(messages)
    .filter((message) => member(message, 'role') === 'assistant')
    .flatMap((message) => listIn(message, 'content'))
    .filter((part) => isA(part, 'tool-approval-request'));
  const requests = new Map<string, string>();
  for (const part of parts) {
    const approvalId = textIn(part, 'approvalId');
    const callId = textIn(part, 'toolCallId');
    if (approvalId !== undefined && callId !== undefined) requests.set(approvalId, callId);
  }
  return requests;
}

/** The arguments that the history gives for a call, and the tool that it names. */
export function callInHistory(
  messages: unknown,
  callId: string,
): { readonly tool: string; readonly args: unknown } | undefined {
  const part = listOf(messages)
    .filter((message) => member(message, 'role') === 'assistant')
    .flatMap((message) => listIn(message, 'content'))
    .findLast((part) => isA(part, 'tool-call') && member(part, 'toolCallId') === callId);
  const tool = textIn(part, 'toolName');
  return tool === undefined ? undefined : { tool, args: member(part, 'input') };
}

function isA(part: unknown, type: string): boolean {
  return member(part, 'type') === type;
}
