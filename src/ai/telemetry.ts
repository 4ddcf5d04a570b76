/**
 * `telemetry()`: puts on record what an AI SDK 7 application does without the guard. An observer, no gate.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import type { Crumb } from '../gateway/create-crumb.ts';
import { gatewayOf } from '../gateway/gateway.ts';
import { watching, type WatchedCall } from '../gateway/watched-call.ts';
import { createObserver, type Observer } from './observer.ts';
import { member, textIn } from './member.ts';

/** What {@link telemetry} is told. */
export interface TelemetryOptions {
  /**
   * A tool that runs without guard: `record` (default) puts it on record afterwards; `throw` refuses it, as
   * far as the application lets its tools be seen (`recordInputs`).
   */
  readonly unguarded?: 'record' | 'throw';
}

/** A telemetry integration of AI SDK 7, for `registerTelemetry` or `telemetry.integrations`. */
export interface CrumbTelemetry {
  onStart(event: unknown): Promise<void>;
  onLanguageModelCallEnd(event: unknown): Promise<void>;
  onEnd(event: unknown): void;
  onAbort(event: unknown): void;
  onError(event: unknown): Promise<void>;
  executeTool<T>(call: ExecutedTool<T>): Promise<T>;
}

/** The execution of a tool, as the host offers it to be wrapped. */
export interface ExecutedTool<T> {
  readonly callId: string;
  readonly toolCallId: string;
  readonly execute: () => PromiseLike<T>;
}

/**
 * An integration that records calls which no guard saw: unguarded tools, tools that the model's provider
 * or the browser executes, and approvals that the host found forged.
 *
 * What it does not see: calls with `telemetry.isEnabled: false` or with integrations of their own, nested
 * calls of code mode, and, with `recordOutputs: false`, what providers and browsers execute.
 *
 * @throws {TypeError} Not a Crumb of `createCrumb()`.
 */
export function telemetry(crumb: Crumb, options: TelemetryOptions = {}): CrumbTelemetry {
  const { unguarded = 'record' } = options;
  const observer = createObserver(gatewayOf(crumb));
  return {
    onStart: (event) => observer.start(event),
    onLanguageModelCallEnd: (event) => observer.modelCallEnd(event),
    onEnd: (event) => observer.end(textIn(event, 'callId')),
    onAbort: (event) => observer.end(textIn(event, 'callId')),
    async onError(event) {
      await observer.error(event);
      observer.end(textIn(event, 'callId'));
    },
    executeTool: async (call) => watch(observer, unguarded, call),
  };
}

async function watch<T>(
  observer: Observer,
  unguarded: 'record' | 'throw',
  call: ExecutedTool<T>,
): Promise<T> {
  const { callId, toolCallId, execute } = call;
  const toolCall = member(call, 'toolCall');
  const tool = textIn(toolCall, 'toolName') ?? 'unknown';
  const seen = { callId, id: toolCallId, tool, args: member(toolCall, 'input') };
  if (unguarded === 'throw' && observer.isUnguarded(callId, tool)) {
    await observer.refused(seen);
    throw new CrumbError('tool_unguarded', { names: [tool] });
  }
  const watched: WatchedCall = { id: toolCallId, guarded: false };
  try {
    return await watching(watched, async () => execute());
  } finally {
    if (!watched.guarded) await observer.unguarded(seen);
  }
}
