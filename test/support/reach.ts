/**
 * Follows imports of compiled modules, through packages too, as a bundler for browsers would.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import ts from 'typescript';

export interface Reach {
  /** Paths of all modules that are loaded. */
  readonly files: readonly string[];
  readonly builtIns: readonly string[];
}

export function builtInsReachedFrom(start: string): Reach {
  const files = new Set<string>();
  const builtIns = new Set<string>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    const { importedFiles } = ts.preProcessFile(readFileSync(path, 'utf8'), true, true);
    for (const { fileName } of importedFiles) {
      if (isBuiltin(fileName)) builtIns.add(fileName);
      else open.push(resolveFrom(path, fileName));
    }
  }
  return { files: [...files], builtIns: [...builtIns] };
}

/** By the compiler, which knows `exports`; each package here has its declarations beside its code. */
function resolveFrom(path: string, specifier: string): string {
  const options = { moduleResolution: ts.ModuleResolutionKind.Bundler };
  const { resolvedModule } = ts.resolveModuleName(specifier, path, options, ts.sys);
  if (resolvedModule === undefined)
    throw new Error(`${path} imports ${specifier}, which is nowhere`);
  return resolvedModule.resolvedFileName.replace(/\.d\.(m?)ts$/, '.$1js');
}
