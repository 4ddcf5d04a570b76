import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const VERSIONS = ['ai7', 'ai6', 'ai5'];

const folder = mkdtempSync(join(tmpdir(), 'crumb-types-'));
const fault = join(folder, 'fault.mts');
let findings: readonly string[] = [];

// One program for all: most of the time goes into the hosts' own types.
beforeAll(() => {
  const tools = relative(folder, resolve('src/ai/tools.ts'));
  writeFileSync(fault, `import { tools } from '${tools}';\ntools({ read: { execute: 1 } });\n`);
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [] },
    ts.sys,
    process.cwd(),
  );
  const files = [...VERSIONS.map((version) => resolve(`test/types/${version}.ts`)), fault];
  findings = ts.getPreEmitDiagnostics(ts.createProgram(files, options)).map((diagnostic) => {
    const { file, start = 0, messageText } = diagnostic;
    const { line } = file?.getLineAndCharacterOfPosition(start) ?? { line: -1 };
    const text = ts.flattenDiagnosticMessageText(messageText, '\n').slice(0, 300);
    return `${file?.fileName ?? ''}:${line + 1} ${text}`;
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('types', () => {
  it.each(VERSIONS)('keep inference, and refuse what is wrong, under %s', (version) => {
    expect(findings.filter((finding) => finding.includes(`/${version}.ts:`))).toEqual([]);
  });

  it('are really looked at: a planted fault is found, and nothing else', () => {
    expect(findings).toEqual([expect.stringContaining('fault.mts:2')]);
  });
});
