/**
 * Reads the sources as the compiler sees them, for tests about how the code hangs together.
 *
 * @module
 */
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';

/** A file by its path from the root of the repository, with forward slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Which parts of src/ a part may import, and which packages and built-ins. */
export interface PartRule {
  readonly parts: readonly string[];
  readonly packages: readonly string[];
}

export type PartRules = Readonly<Record<string, PartRule>>;

export function readSources(pattern: string): Source[] {
  return globSync(pattern)
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** The first folder below src, or the name of a file that lies right there. */
export function partOf(path: string): string {
  return path.split('/')[1]?.replace(/\.ts$/, '') ?? '';
}

/** The compiler's own list, so that dynamic imports and imports of types count too. */
export function importsOf({ text }: Source): string[] {
  return ts.preProcessFile(text).importedFiles.map((file) => file.fileName);
}

/** What a relative import means, as a path from the root. */
export function targetOf(source: Source, specifier: string): string {
  return posix.join(posix.dirname(source.path), specifier);
}

/** Imports that a rule does not allow, as `file -> import`. */
export function forbiddenImports(sources: readonly Source[], rules: PartRules): string[] {
  return sources.flatMap((source) =>
    importsOf(source)
      .filter((specifier) => !isAllowed(source, specifier, rules))
      .map((specifier) => `${source.path} -> ${specifier}`),
  );
}

function isAllowed(source: Source, specifier: string, rules: PartRules): boolean {
  const rule = rules[partOf(source.path)];
  if (rule === undefined) return false;
  if (!specifier.startsWith('.')) {
    return rule.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  }
  const target = targetOf(source, specifier);
  if (!target.startsWith('src/')) return false;
  return partOf(target) === partOf(source.path) || rule.parts.includes(partOf(target));
}

/** Files that import each other in a circle, each circle once. */
export function cyclesOf(sources: readonly Source[]): string[] {
  const graph = new Map(
    sources.map((source) => [
      source.path,
      importsOf(source)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => targetOf(source, specifier)),
    ]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push([...trail.slice(start), path].join(' -> '));
    if (start >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return found;
}

/** Packages that are imported for more than their types as soon as the file is loaded. */
export function valueImportsOf(sources: readonly Source[], packages: readonly string[]): string[] {
  const isHost = (specifier: string): boolean =>
    packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  return sources.flatMap((source) =>
    moduleSpecifiers(source)
      .filter(({ specifier, typeOnly }) => !typeOnly && isHost(specifier))
      .map(({ specifier }) => `${source.path} -> ${specifier}`),
  );
}

interface Specifier {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function moduleSpecifiers(source: Source): Specifier[] {
  return parse(source).statements.flatMap((node): Specifier[] => {
    if (!ts.isImportDeclaration(node) && !ts.isExportDeclaration(node)) return [];
    const { moduleSpecifier } = node;
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return [];
    const typeOnly = ts.isExportDeclaration(node)
      ? node.isTypeOnly
      : node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return [{ specifier: moduleSpecifier.text, typeOnly }];
  });
}

/** `export * from`, which makes the public face whatever a file happens to export. */
export function starExportsOf(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    parse(source)
      .statements.filter(ts.isExportDeclaration)
      .filter(({ exportClause }) => exportClause === undefined)
      .map(() => source.path),
  );
}

/** Casts without a comment in their statement or right above it, as `file:line`. */
export function unprovedCastsIn(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const file = parse(source);
    const lineOf = (place: number): number => file.getLineAndCharacterOfPosition(place).line;
    const lines = source.text.split('\n');
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isAsExpression(node) && node.type.getText() !== 'const') {
        const last = lineOf(node.getEnd());
        const around = lines.slice(Math.max(0, lineOf(holderOf(node).getStart()) - 1), last + 1);
        if (!/\/\/|\*\//.test(around.join('\n'))) found.push(`${source.path}:${last + 1}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
    return found;
  });
}

/** What a comment about a part of it would stand above. */
function holderOf(node: ts.Node): ts.Node {
  const isHolder = ts.isStatement(node) || ts.isClassElement(node) || ts.isPropertyAssignment(node);
  return isHolder || node.parent === undefined ? node : holderOf(node.parent);
}

function parse({ path, text }: Source): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** Names that entry files export without a doc comment, as `file: name`. */
export function undocumentedExports(
  entries: readonly string[],
  options: ts.CompilerOptions,
): string[] {
  const program = ts.createProgram([...entries], options);
  const checker = program.getTypeChecker();
  return entries.flatMap((entry) => {
    const file = program.getSourceFile(entry);
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file);
    if (module === undefined) return [`${entry}: not a module`];
    return checker
      .getExportsOfModule(module)
      .filter((symbol) => !isDocumented(unaliased(symbol, checker), checker))
      .map((symbol) => `${entry}: ${symbol.name}`);
  });
}

function unaliased(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

/** What another package documents is documented there. */
function isDocumented(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  const ours = (symbol.declarations ?? []).some(
    (declaration) => !declaration.getSourceFile().fileName.includes('/node_modules/'),
  );
  return !ours || symbol.getDocumentationComment(checker).length > 0;
}
