/**
 * Agents as what a delegation is for: the resource of a call that hands work to an agent, and the
 * audience of a token with which that agent may delegate further.
 *
 * @module
 */

/** Action of a call that hands work to another agent. */
export const DELEGATE = 'delegate';

const PREFIX = 'urn:agent:';

/** The resource that stands for the agent with this client id. */
export function agentResource(id: string): string {
  return `${PREFIX}${id}`;
}

/** The client id of the agent that a resource stands for; undefined if it stands for none. */
export function agentIdAt(resource: string): string | undefined {
  return resource.startsWith(PREFIX) ? resource.slice(PREFIX.length) : undefined;
}
