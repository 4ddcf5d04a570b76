/**
 * What `crumb init` writes: a configuration and an example route, commented for who reads them first.
 *
 * @module
 */

/** What the texts depend on. */
export interface Setup {
  readonly typescript: boolean;
  /** How the example spells the configuration's file. */
  readonly configImport: string;
  readonly application: string;
  readonly agents: readonly string[];
  readonly origin: string;
  readonly issuer: string;
}

/** Where everything lies that `crumb init` makes, except the files that are meant to be read. */
export const FOLDER = '.crumb';

/** Port of `crumb dev idp` where nothing else is said. */
export const DEV_ISSUER = 'http://127.0.0.1:4280';

export function configText(setup: Setup): string {
  const { typescript, application, agents, origin, issuer } = setup;
  return `/**
 * Crumb in this project. The application and the command line both read it: \`crumb log\` and
 * \`crumb verify\` find the ledger here, \`crumb dev idp\` the agents.
 */
import { readFileSync } from 'node:fs';
${typescript ? "import type { CrumbOptions } from 'crumb-ai';\n" : ''}
// Keys are read from files here. In production take them from your secret store, and the signing key
// from a key service if you can: \`ledger.signingKey\` may be an object with a \`sign\` function.
const key = (name${typescript ? ': string' : ''}) => readFileSync(\`${FOLDER}/keys/\${name}.pem\`, 'utf8');

${typescript ? '' : "/** @type {import('crumb-ai').CrumbOptions} */\n"}export const config = {
  // The identity provider that logs your users in. It exchanges their tokens (RFC 8693), so that each
  // token names the human and every agent between. This one is \`crumb dev idp\`: for development only.
  issuer: {
    url: process.env['CRUMB_ISSUER'] ?? '${issuer}',
    profile: 'dev',
    client: { id: '${application}', key: key('${application}') },
    // Each agent is a client of its own. The public halves to register lie in ${FOLDER}/register.
    agents: {
${agents.map((agent) => `      ${quoted(agent)}: { key: key('${agent}') },`).join('\n')}
    },
  },

  // One append-only ledger. The origin is its name for ever: take one that you own, such as
  // your-domain.com/crumb, before you record anything that counts.
  ledger: {
    url: 'file:${FOLDER}/ledger.db',
    origin: '${origin}',
    signingKey: '${FOLDER}/keys/ledger.pem',
    // Notices when the database is an older copy. Better on another disk than the ledger.
    guard: '${FOLDER}/ledger.guard',
  },

  // What can be erased: who a pseudonym is, and what opens commitments. A key and a backup of its own.
  vault: { url: 'file:${FOLDER}/vault.db', key: '${FOLDER}/keys/vault.key' },
  approvalKey: '${FOLDER}/keys/approval.key',

  // What each tool calls: the resource server as the identity provider knows it, and the action that a
  // human authorizes. \`resource: 'local'\` for a tool that calls nothing.
  resources: {
    readRecord: { resource: 'http://127.0.0.1:4281', action: 'read_record' },
    today: { resource: 'local', action: 'today' },
  },

  // No valid delegation: 'enforce' refuses the call, 'record' runs it and says so.
  mode: 'enforce',
  // Nothing that the human authorized covers the call: 'record' flags it, or 'refuse', or 'ask'.
  unauthorized: 'record',
  // Tokens of \`crumb dev idp\` count on this machine, and never in production.
  allowDevelopment: process.env['NODE_ENV'] !== 'production',
}${typescript ? ' satisfies CrumbOptions' : ''};
`;
}

export function exampleText(setup: Setup): string {
  const [agent = 'planner'] = setup.agents;
  const { typescript, configImport } = setup;
  return `/**
 * A chat route of the AI SDK with Crumb in it, to copy from. The lines that Crumb adds are marked.
 *
 * Try it: \`npx crumb dev idp\` in one terminal; then send a request with
 *   Authorization: Bearer $(npx crumb dev login --person alice --scope 'openid read_record')
 */
import { convertToModelMessages, stepCountIs, streamText, tool${typescript ? ', type UIMessage' : ''} } from 'ai';
import { createCrumb } from 'crumb-ai'; // crumb
import { bind } from 'crumb-ai/ai'; // crumb
import { z } from 'zod';
import { config } from '${configImport}'; // crumb

const crumb = await createCrumb(config); // crumb: once for the process

const tools = {
  readRecord: tool({
    description: 'Reads a record.',
    inputSchema: z.object({ id: z.number().int() }),
    // Inside a tool, \`crumb.current().fetch\` carries the delegation token; the model never sees it.
    execute: async ({ id }) => {
      const answer = await crumb.current().fetch(\`http://127.0.0.1:4281/records/\${id}\`); // crumb
      return answer.text();
    },
  }),
  today: tool({
    description: 'The date of today.',
    inputSchema: z.object({}),
    execute: async () => new Date().toDateString(),
  }),
};

export async function POST(request${typescript ? ': Request' : ''}) {
  const session = await crumb.session(request); // crumb: verifies the login; throws if there is none
  const ${variable(agent)} = session.agent('${agent}'); // crumb: the agent that acts for this human
  const { messages }${typescript ? ': { messages: UIMessage[] }' : ''} = await request.json();

  const result = streamText({
    model: 'openai/gpt-5-mini',
    messages: await convertToModelMessages(messages),
    stopWhen: stepCountIs(5),
    ...bind(${variable(agent)}, { tools }), // crumb: in place of \`tools\`
  });
  return result.toUIMessageStreamResponse();
}
`;
}

function quoted(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`;
}

function variable(name: string): string {
  return /^[a-z][A-Za-z0-9]*$/.test(name) && name !== 'session' ? name : 'agent';
}
