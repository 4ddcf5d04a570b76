/**
 * Causes that may leave this package. Errors of OAuth and JOSE libraries carry response bodies, claims
 * and parameters, so nothing of them goes on but the names and codes they were given by their authors.
 *
 * @module
 */

/** What an error was called. `message` is a chain of codes, outermost first. */
export class CleanCause extends Error {
  override readonly name = 'CleanCause';
}

/** A code as libraries write it: too short and too plain to be a token. */
const CODE = /^(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*|[a-z]+(?:_[a-z]+)+|[A-Z][a-z]+(?:[A-Z][a-z]+)*)$/u;

const MAX_LENGTH = 48;
const MAX_CAUSES = 8;

/** The names and codes along the chain of causes, and nothing else. */
export function reasonOf(error: unknown): CleanCause {
  const words: string[] = [];
  let at = error;
  for (let n = 0; n < MAX_CAUSES && at instanceof Error; n += 1) {
    const word = wordOf(at);
    if (word !== undefined && word !== words.at(-1)) words.push(word);
    at = at.cause;
  }
  return new CleanCause(words.length === 0 ? 'unknown' : words.join(' < '));
}

function wordOf(error: Error): string | undefined {
  const code = 'code' in error ? error.code : undefined;
  return [code, error.name].find(
    (word): word is string =>
      typeof word === 'string' && word.length <= MAX_LENGTH && CODE.test(word),
  );
}
