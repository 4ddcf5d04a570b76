/**
 * A tool call as the host hands it over: what is to be done. There is no field for who: identity never
 * comes from a model, and everything here may.
 *
 * @module
 */

/** What JSON can say. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** `approval-replay`: the host runs a call of an earlier turn that a human has since approved. */
export type CallOrigin = 'model' | 'approval-replay';

/** One call of one tool. */
export interface ToolCall {
  /** The host's id of the call. Not unique: some model providers restart ids in every response. */
  readonly id: string;
  /** The name under which the model knows the tool. */
  readonly tool: string;
  /** The resource server that the tool calls, as in the token's audience, or `local`. */
  readonly resource: string;
  readonly action: string;
  /** Exactly the parsed value that the tool is given. */
  readonly args: Json;
  readonly origin: CallOrigin;
}
