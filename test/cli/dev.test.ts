import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, runMain } from '../support/run-cli.ts';

const BIN = resolve('src/cli/crumb.ts');
const running: ChildProcess[] = [];
const folders: string[] = [];

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crumb-dev-'));
  folders.push(folder);
  return folder;
}

async function freePort(): Promise<string> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  await new Promise((done) => server.close(done));
  return String(port);
}

interface Started {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  /** Waits for a line; the process ends without one if it fails. */
  line(wanted: RegExp): Promise<string>;
}

function start(cwd: string, words: readonly string[]): Started {
  const child = spawn(process.execPath, [BIN, 'dev', 'idp', ...words], { cwd });
  running.push(child);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  return {
    child,
    lines,
    line: (wanted) =>
      new Promise((found, fail) => {
        const look = (): void => {
          const line = lines.find((one) => wanted.test(one));
          if (line !== undefined) found(line);
        };
        waiting.add(look);
        child.once('exit', () => fail(new Error(`ended: ${lines.join('\n')}`)));
        look();
      }),
  };
}

async function stop({ child }: Started): Promise<number | null> {
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  return code as number | null; // what `exit` passes first
}

describe('crumb dev idp without a configuration', () => {
  let cwd: string;
  let port: string;
  let idp: Started;
  beforeAll(async () => {
    cwd = newFolder();
    port = await freePort();
    idp = start(cwd, ['--port', port]);
    await idp.line(/Ctrl-C/);
  });

  it('says loudly that it is for development', () => {
    expect(idp.lines.join('\n')).toContain('FOR DEVELOPMENT ONLY');
  });

  it('logs people in, with what they authorize', async () => {
    const directive = {
      type: 'crumb_tool_call',
      actions: ['read_record'],
      locations: ['http://127.0.0.1:4281'],
      arguments: { id: { const: 42 } },
      agents: ['planner', 'researcher'],
    };
    const { code, stdout } = await runMain(
      [
        'dev',
        'login',
        '--issuer',
        `http://127.0.0.1:${port}`,
        '--person',
        'bob',
        '--directive',
        JSON.stringify(directive),
        '--json',
      ],
      { cwd },
    );
    expect(code).toBe(0);
    const { accessToken } = JSON.parse(stdout) as { accessToken: string };
    expect(decodeJwt(accessToken)).toMatchObject({
      sub: 'bob',
      authorization_details: [directive],
    });
  });

  it('prints a token and nothing else, for use in a command line', async () => {
    const { stdout } = await runMain(['dev', 'login', '--issuer', `http://127.0.0.1:${port}`], {
      cwd,
    });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });

  it.each([
    ['a person nobody knows', ['--person', 'mallory'], 'login_refused'],
    ['a directive that is not JSON', ['--directive', '{'], 'usage_invalid'],
  ])('refuses %s', async (_what, words, code) => {
    const result = await runMain(
      ['dev', 'login', '--issuer', `http://127.0.0.1:${port}`, ...words, '--json'],
      { cwd },
    );
    expect(result.code).toBe(2);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code } });
  });

  it('names a port that is taken', async () => {
    const { code, stdout } = await runMain(['dev', 'idp', '--port', port, '--json'], { cwd });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'port_taken' } });
  });

  it('refuses to start in production', async () => {
    const env = { NODE_ENV: 'production' };
    const { code, stdout } = await runCli(['dev', 'idp', '--port', '0', '--json'], { cwd, env });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'development_only' } });
  });

  it('stops at once', async () => {
    expect(await stop(idp)).toBe(0);
  });
});

describe('crumb dev idp with a configuration', () => {
  it('takes application, agents and resources from what `crumb init` wrote', async () => {
    const cwd = newFolder();
    const port = await freePort();
    writeFileSync(join(cwd, 'package.json'), '{"name":"desk"}');
    expect((await runMain(['init', '--agent', 'clerk'], { cwd })).code).toBe(0);
    const issuer = `http://127.0.0.1:${port}`;
    const idp = start(cwd, ['--port', port, '--json']);
    await idp.line(/^\}/);
    expect(JSON.parse(idp.lines.join('\n'))).toMatchObject({
      url: issuer,
      clients: ['desk'],
      agents: ['clerk'],
      resources: [{ resource: 'http://127.0.0.1:4281', scopes: ['read_record'] }],
    });
    const login = ['dev', 'login', '--issuer', issuer, '--scope', 'openid read_record'];
    // A process of its own: the configuration reads its keys from the folder that it runs in.
    const { code, stdout } = await runCli(login, { cwd });
    expect(code).toBe(0);
    expect(decodeJwt(stdout.trim())).toMatchObject({
      sub: 'alice',
      aud: 'desk',
      scope: 'read_record',
    });
    expect(await stop(idp)).toBe(0);
  });

  it.each([
    ['is not there', undefined, 'file_unreadable'],
    ['throws', 'throw new Error("no")', 'config_invalid'],
    ['exports something else', 'export const config = { ledger: {} };', 'config_invalid'],
  ])('names a configuration that %s', async (_what, text, code) => {
    const cwd = newFolder();
    if (text !== undefined) writeFileSync(join(cwd, 'x.mjs'), text);
    const result = await runMain(['dev', 'idp', '--config', 'x.mjs', '--json'], { cwd });
    expect(result.code).toBe(2);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code } });
  });
});
