/**
 * Crumb for the AI SDK, versions 5, 6 and 7.
 *
 * @module
 */
export {
  bind,
  type ApprovalMessage,
  type BindOptions,
  type Bound,
  type GenericApprovalOptions,
  type ToolApproval,
  type ToolApprovalMap,
  type ToolApprovalOptions,
} from './bind.ts';
export type { ApprovalStatus } from './tool-approval.ts';
export type { AgentCall, RunnableAgent } from './run-agent.ts';
export {
  subAgent,
  type SchemaOutput,
  type SubAgentOptions,
  type SubAgentTool,
} from './sub-agent.ts';
export {
  telemetry,
  type CrumbTelemetry,
  type ExecutedTool,
  type TelemetryOptions,
} from './telemetry.ts';
export { tools, type GuardableTool, type GuardableTools } from './tools.ts';
