/**
 * `crumb dev idp`: the development identity provider, alone.
 *
 * @module
 */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CrumbError } from '../../errors.ts';
import type { DevIdp, DevIdpOptions } from '../../dev/dev-idp.ts';
import { visible } from '../../evidence/visible.ts';
import type { CrumbOptions } from '../../gateway/create-crumb.ts';
import { defineCommand } from '../command.ts';
import { CONFIG_OPTION, loadConfig, registrationOf } from '../config.ts';
import { noteEvents, portTaken, runUntilStopped } from '../dev-service.ts';
import { shown, writeNew } from '../files.ts';
import { createKey, publicJwk } from '../keys.ts';
import type { Style } from '../terminal/style.ts';
import type { Answer, Terminal } from '../terminal/terminal.ts';
import { DEV_ISSUER, FOLDER } from './init-texts.ts';

/** Where local applications usually take people back to. `crumb dev login` uses the first. */
export const REDIRECT_URIS = [
  'http://127.0.0.1:3000/callback',
  'http://localhost:3000/callback',
  'http://localhost:3000/api/auth/callback/crumb',
];

type Parties = Pick<DevIdpOptions, 'clients' | 'agents' | 'resources'>;

export const devIdp = defineCommand({
  name: 'dev idp',
  summary: 'run the development identity provider',
  about: [
    'A real OpenID provider on this machine: authorization code with PKCE, consent to directives in plain words, and token exchange that nests every agent (RFC 8693). Alice, Bob and Carol log in without passwords, which is why it is for development only. It listens on loopback, marks all it issues, and refuses to start with NODE_ENV=production.',
    `Applications, agents and resources come from crumb.config.ts. Without one there is an application "app", agents "planner" and "researcher" with fresh keys under ${FOLDER}/dev, and one resource.`,
  ],
  operands: [],
  options: {
    config: CONFIG_OPTION,
    port: {
      kind: 'count',
      value: 'PORT',
      help: `default: the issuer's, else ${portOf(DEV_ISSUER)}`,
    },
    'redirect-uri': {
      kind: 'list',
      value: 'URI',
      help: 'where applications take people back to; default /callback on port 3000 of this machine',
    },
    force: { kind: 'flag', help: 'start in spite of NODE_ENV=production' },
  },
  examples: [
    { line: 'crumb dev idp', shows: 'with the agents and resources of crumb.config.ts' },
    {
      line: 'crumb dev idp --port 4290 --redirect-uri http://localhost:8080/auth',
      shows: 'on another port, for an application of yours',
    },
  ],
  exits: { 0: 'stopped by Ctrl-C' },
  async run({ options }, terminal) {
    const config = await loadConfig(terminal, options.config);
    const redirectUris =
      options['redirect-uri'].length > 0 ? options['redirect-uri'] : REDIRECT_URIS;
    const parties =
      config === undefined ? defaults(terminal, redirectUris) : from(config, redirectUris);
    const { startDevIdp } = await import('../../dev/dev-idp.ts').catch(missingPackage);
    const { describeEvent } = await import('../../dev/events.ts');
    const idp = await startDevIdp({
      ...parties,
      port: options.port ?? portOf(config?.issuer.url ?? DEV_ISSUER),
      force: options.force,
      log: noteEvents(terminal, describeEvent),
    }).catch(portTaken);
    return runUntilStopped(idp, terminal, banner(idp, parties, terminal.style));
  },
});

/** As the application sees itself, so that both agree without anything being typed twice. */
function from({ issuer, resources }: CrumbOptions, redirectUris: readonly string[]): Parties {
  const entries = typeof resources === 'function' ? [] : Object.values(resources);
  const scopes = new Map<string, Set<string>>();
  for (const { resource, scope, action } of entries) {
    if (resource === 'local') continue;
    scopes.set(resource, (scopes.get(resource) ?? new Set()).add(scope ?? action));
  }
  const agents = Object.entries(issuer.agents).map(([name, { id = name, key }]) => ({
    id,
    jwks: registrationOf(key),
  }));
  const client = {
    id: issuer.client.id,
    redirectUris,
    jwks: registrationOf(issuer.client.key),
    agents: agents.map(({ id }) => id),
    ...(issuer.audience === undefined ? {} : { audience: issuer.audience }),
  };
  return {
    clients: [client],
    agents,
    resources: [...scopes].map(([resource, names]) => ({ resource, scopes: [...names] })),
  };
}

function defaults(terminal: Terminal, redirectUris: readonly string[]): Parties {
  const names = ['planner', 'researcher'];
  return {
    clients: [{ id: 'app', redirectUris, agents: names }],
    agents: names.map((id) => ({ id, jwks: { keys: [keptKey(terminal, id)] } })),
    resources: [{ resource: 'http://127.0.0.1:4281', scopes: ['read_record', 'export_record'] }],
  };
}

/** The same key at every start, or an application would have to be told each time. */
function keptKey(terminal: Terminal, name: string): ReturnType<typeof publicJwk> {
  const path = join(terminal.cwd, FOLDER, 'dev', `${name}.pem`);
  if (writeNew({ path, text: createKey('agent').secret, secret: true })) {
    terminal.note(`made ${visible(shown(path, terminal.cwd))}, the key of agent ${name}`);
  }
  return publicJwk(createPublicKey(readFileSync(path)));
}

function portOf(issuer: string): number {
  return Number(URL.parse(issuer)?.port ?? '') || 4280;
}

function banner(idp: DevIdp, { clients, agents, resources }: Parties, style: Style): Answer {
  const rows: readonly (readonly [string, string])[] = [
    ['Issuer', idp.url],
    ['People', idp.people.map(({ sub }) => sub).join(', ')],
    ['Applications', clients.map(({ id }) => id).join(', ')],
    ['Agents', agents.map(({ id }) => id).join(', ')],
    [
      'Resources',
      resources.map(({ resource, scopes }) => `${resource} (${scopes.join(' ')})`).join(', '),
    ],
  ];
  const line = (text: string): string => style.yellow(`  ${text.padEnd(70)}  `);
  return {
    facts: {
      url: idp.url,
      people: idp.people.map(({ sub }) => sub),
      clients: clients.map(({ id }) => id),
      agents: agents.map(({ id }) => id),
      resources: resources.map(({ resource, scopes }) => ({ resource, scopes: [...scopes] })),
    },
    text: () => [
      style.yellow('━'.repeat(74)),
      line('FOR DEVELOPMENT ONLY: anyone on this machine can log in as anyone here.'),
      line('What it issues proves nothing outside this machine.'),
      style.yellow('━'.repeat(74)),
      ...rows.map(([term, text]) => `${style.bold(term.padEnd(13))} ${visible(text)}`),
      '',
      `${style.dim('A token:')} npx crumb dev login --person ${visible(idp.people[0]?.sub ?? 'alice')}`,
      style.dim('Stop with Ctrl-C.'),
    ],
  };
}

function missingPackage(cause: unknown): never {
  const missing =
    cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
  if (missing) throw new CrumbError('package_missing', { cause, names: ['oidc-provider'] });
  throw cause;
}
