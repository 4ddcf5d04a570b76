/** Compiled, not run: what must not be sayable. */
import type { ActChain } from '../../src/attribution/act-chain.ts';
import type { ToolCall } from '../../src/attribution/tool-call.ts';

const call: ToolCall = {
  id: 'call_7Qk',
  tool: 'readRecord',
  resource: 'https://records.example',
  action: 'read_record',
  args: { id: 42 },
  origin: 'model',
};

// @ts-expect-error a tool call has no field for who
export const byName: ToolCall = { ...call, human: 'alice' };

// @ts-expect-error nor for a subject
export const bySubject: ToolCall = { ...call, sub: 'alice' };

// @ts-expect-error nor for an actor
export const byActor: ToolCall = { ...call, actor: { iss: 'https://idp.example', sub: 'planner' } };

// @ts-expect-error nor for a chain
export const byChain: ToolCall = { ...call, chain: [] };

/** Closed: whatever is added to ToolCall must be added here, and looked at. */
type Field = 'id' | 'tool' | 'resource' | 'action' | 'args' | 'origin';
export const closed: Record<keyof ToolCall, true> extends Record<Field, true> ? true : never = true;
export const complete: Record<Field, true> extends Record<keyof ToolCall, true> ? true : never =
  true;

// @ts-expect-error arguments are JSON
export const notJson: ToolCall = { ...call, args: () => 'alice' };

// @ts-expect-error a chain without an actor has no token holder
export const nobody: ActChain = [];
