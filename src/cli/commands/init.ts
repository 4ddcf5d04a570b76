/**
 * `crumb init`: Crumb in a project, ready to be looked at.
 *
 * @module
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CrumbError } from '../../errors.ts';
import { visible } from '../../evidence/visible.ts';
import { usage } from '../arguments.ts';
import { defineCommand, EXIT } from '../command.ts';
import { writeNew, type NewFile } from '../files.ts';
import { createKey } from '../keys.ts';
import type { Style } from '../terminal/style.ts';
import type { Answer } from '../terminal/terminal.ts';
import { configText, DEV_ISSUER, exampleText, FOLDER, type Setup } from './init-texts.ts';

/** What the names of clients may be made of: they travel inside URNs, URLs and file names. */
const CLIENT = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

export const init = defineCommand({
  name: 'init',
  summary: 'set up Crumb in this project',
  about: [
    'Makes the keys, a commented configuration and an example route, all under names that are easy to find and easy to delete. What is there already is left alone, so that it can be run again.',
    'The configuration points at the development identity provider, which `crumb dev idp` starts: nothing needs to be registered anywhere to try it.',
  ],
  operands: [],
  options: {
    agent: {
      kind: 'list',
      value: 'NAME',
      help: 'an agent that acts for humans; default planner and researcher',
    },
    origin: {
      kind: 'text',
      value: 'NAME',
      help: 'name of the ledger, such as acme.example/crumb; default made from the project',
    },
    javascript: { kind: 'flag', help: 'write JavaScript also where there is a tsconfig.json' },
  },
  examples: [
    { line: 'crumb init', shows: 'keys, crumb.config.ts and crumb.example.ts' },
    {
      line: 'crumb init --agent assistant --origin acme.example/crumb',
      shows: 'with one agent, and a name for the ledger that you own',
    },
  ],
  run({ options }, terminal) {
    const setup = setupOf(terminal.cwd, options);
    const { files, vkey } = filesOf(setup);
    const done = files.map((file) => ({
      path: file.path,
      written: writeNew({ ...file, path: join(terminal.cwd, file.path) }),
    }));
    const ignored = ignore(terminal.cwd);
    terminal.print(
      answer({ setup, done, ignored, vkey: pinned(terminal.cwd, vkey) }, terminal.style),
    );
    return Promise.resolve(EXIT.ok);
  },
});

interface Choices {
  readonly agent: readonly string[];
  readonly origin: string | undefined;
  readonly javascript: boolean;
}

function setupOf(cwd: string, { agent, origin, javascript }: Choices): Setup {
  const project = projectName(cwd);
  const agents = agent.length === 0 ? ['planner', 'researcher'] : agent;
  const application = agents.includes(project) ? `${project}-app` : project;
  const wrong = agents.find((name) => !CLIENT.test(name) || RESERVED.has(name));
  if (wrong !== undefined) throw usage(`--agent ${wrong}: use small letters, digits and dashes`);
  if (new Set(agents).size < agents.length) throw usage('--agent: two of the same name');
  const typescript = !javascript && existsSync(join(cwd, 'tsconfig.json'));
  return {
    typescript,
    configImport: typescript ? configImport(cwd) : './crumb.config.mjs',
    application,
    agents,
    origin: origin ?? `${project}.example/crumb`,
    issuer: DEV_ISSUER,
  };
}

/** Key files that are not of clients. */
const RESERVED = new Set(['ledger', 'vault', 'approval']);

function filesOf(setup: Setup): { files: readonly NewFile[]; vkey: string } {
  const ledger = createKey('signing', setup.origin);
  if (ledger.vkey === undefined) throw new CrumbError('key_invalid');
  const clients = [setup.application, ...setup.agents].flatMap((name): NewFile[] => {
    const { secret, jwk } = createKey('agent');
    const registration = `${JSON.stringify({ keys: [jwk] }, undefined, 2)}\n`;
    return [
      { path: `${FOLDER}/keys/${name}.pem`, text: secret, secret: true },
      { path: `${FOLDER}/register/${name}.json`, text: registration, secret: false },
    ];
  });
  const extension = setup.typescript ? 'ts' : 'mjs';
  return {
    vkey: ledger.vkey,
    files: [
      { path: `${FOLDER}/keys/ledger.pem`, text: ledger.secret, secret: true },
      { path: `${FOLDER}/ledger.vkey`, text: `${ledger.vkey}\n`, secret: false },
      { path: `${FOLDER}/keys/vault.key`, text: createKey('vault').secret, secret: true },
      { path: `${FOLDER}/keys/approval.key`, text: createKey('approval').secret, secret: true },
      ...clients,
      { path: `crumb.config.${extension}`, text: configText(setup), secret: false },
      { path: `crumb.example.${extension}`, text: exampleText(setup), secret: false },
    ],
  };
}

/** The key of an earlier run stands, if there was one. */
function pinned(cwd: string, fresh: string): string {
  const path = join(cwd, FOLDER, 'ledger.vkey');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : fresh;
}

/** Keys and databases must not be committed. @returns Whether a line was added. */
function ignore(cwd: string): boolean {
  const path = join(cwd, '.gitignore');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  if (lines.includes(`${FOLDER}/`) || lines.includes(FOLDER)) return false;
  const before = text === '' || text.endsWith('\n') ? '' : '\n';
  appendFileSync(path, `${before}# Crumb: keys and databases\n${FOLDER}/\n`);
  return true;
}

/** Something that may name a client, a host and a ledger. */
function projectName(cwd: string): string {
  const name = packageName(cwd) ?? basename(cwd);
  const plain = name
    .replace(/^@[^/]*\//, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return plain === '' || RESERVED.has(plain) ? 'my-app' : plain;
}

function packageName(cwd: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
    const named = typeof parsed === 'object' && parsed !== null && 'name' in parsed;
    return named && typeof parsed.name === 'string' ? parsed.name : undefined;
  } catch {
    return undefined; // no package.json, or one that is npm's to complain about
  }
}

/** As the compiler of the project wants files to be spelled. */
function configImport(cwd: string): string {
  const text = readFileSync(join(cwd, 'tsconfig.json'), 'utf8');
  if (/"(?:allowImportingTsExtensions|rewriteRelativeImportExtensions)"\s*:\s*true/.test(text)) {
    return './crumb.config.ts';
  }
  return /"moduleResolution"\s*:\s*"(?:bundler|node)"/i.test(text)
    ? './crumb.config'
    : './crumb.config.js';
}

interface Result {
  readonly setup: Setup;
  readonly done: readonly { readonly path: string; readonly written: boolean }[];
  readonly ignored: boolean;
  readonly vkey: string;
}

function answer({ setup, done, ignored, vkey }: Result, style: Style): Answer {
  const paths = (written: boolean): string[] =>
    done.filter((one) => one.written === written).map(({ path }) => path);
  const config = done.at(-2)?.path ?? '';
  const example = done.at(-1)?.path ?? '';
  const [agent = ''] = setup.agents;
  return {
    facts: {
      written: paths(true),
      kept: paths(false),
      gitignore: ignored,
      origin: setup.origin,
      vkey,
      application: setup.application,
      agents: setup.agents,
    },
    text: () => [
      ...paths(true).map((path) => `${style.green('made')} ${visible(path)}`),
      ...paths(false).map((path) => `${style.dim('kept')} ${visible(path)}`),
      ...(ignored ? [`${style.green('made')} an entry in .gitignore: keys stay out of git`] : []),
      '',
      style.bold('To verify the ledger with'),
      vkey,
      '',
      style.bold('Next'),
      `  1. Read ${visible(config)}: it says what to change, and when.`,
      `  2. npx crumb dev idp               an identity provider with Alice, Bob and Carol`,
      `  3. Copy the marked lines of ${visible(example)} into your route.`,
      `  4. npx crumb dev login --person alice --scope 'openid read_record'`,
      `                                     her token, for the Authorization header`,
      `  5. npx crumb log                   what ${visible(agent)} did, and for whom`,
      `     npx crumb verify                that nothing of it was changed since`,
    ],
  };
}
