/**
 * Compiles texts as files of a project, with the settings of this one.
 *
 * @module
 */
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');

/** The compiler options of this repository, for programs of its tests. */
export function repositoryOptions(): ts.CompilerOptions {
  const path = resolve(ROOT, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name));
  return ts.parseJsonConfigFileContent(config, ts.sys, ROOT).options;
}

/**
 * What the compiler says about texts that stand at these paths, whether or not files do. Paths below the
 * repository import `crumb-ai` as its users do: from dist, through `exports`.
 *
 * @returns `path:line code message`, for the given texts alone.
 */
export function compileTexts(
  texts: ReadonlyMap<string, string>,
  options: ts.CompilerOptions,
): string[] {
  const base = ts.createCompilerHost(options);
  const folders = new Set([...texts.keys()].map((path) => dirname(path)));
  const host: ts.CompilerHost = {
    ...base,
    readFile: (path) => texts.get(path) ?? base.readFile(path),
    fileExists: (path) => texts.has(path) || base.fileExists(path),
    directoryExists: (path) => folders.has(path) || (base.directoryExists?.(path) ?? true),
    getSourceFile(path, version, ...rest) {
      const text = texts.get(path);
      return text === undefined
        ? base.getSourceFile(path, version, ...rest)
        : ts.createSourceFile(path, text, version, true);
    },
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return [...texts.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      (diagnostic) => `${path}:${lineOf(diagnostic)} ${textOf(diagnostic)}`,
    );
  });
}

function lineOf({ file, start = 0 }: ts.Diagnostic): number {
  return (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
}

function textOf({ code, messageText }: ts.Diagnostic): string {
  return `TS${code} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
}
