/**
 * JSON from someone who is not trusted yet: read only if it is shallow and says everything once.
 *
 * `JSON.parse` takes the last of two equal names and recurses as deep as it is told to; a verifier
 * elsewhere may take the first, or run out of stack. So the text is scanned before it is parsed.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-2.4
 * @module
 */
import { CrumbError } from '../errors.ts';

/** Enough for a directive with nested argument schemas; far below what exhausts a stack. */
const MAX_DEPTH = 64;

/** A JSON string, or one of the characters that open, close and separate. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g;

/**
 * Parses JSON whose nesting is at most 64 and whose objects name each member once.
 *
 * @throws {CrumbError} `token_malformed`
 */
export function parseBoundedJson(text: string): unknown {
  checkShape(text);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // The engine's message quotes the text, which may be a token.
    throw malformed('JSON');
  }
}

/** Walks the punctuation. It need not find every syntax error: `JSON.parse` does that afterwards. */
function checkShape(text: string): void {
  // The names so far of each open object; undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  let nameMayFollow = false;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      if (open.length === MAX_DEPTH) throw malformed('depth');
      open.push(token === '{' ? new Set() : undefined);
      nameMayFollow = token === '{';
    } else if (token === '}' || token === ']') {
      open.pop();
      nameMayFollow = false;
    } else if (token.startsWith('"')) {
      if (nameMayFollow) addName(open.at(-1), token);
      nameMayFollow = false;
    } else {
      nameMayFollow = token === ',' && open.at(-1) !== undefined;
    }
  }
}

function addName(names: Set<string> | undefined, quoted: string): void {
  // Decoded, because "a" and "\u0061" are one name.
  const name = decodeString(quoted);
  if (names === undefined) return;
  if (names.has(name)) throw malformed('duplicate name');
  names.add(name);
}

function decodeString(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw malformed('JSON');
  }
}

function malformed(what: string): CrumbError<'token_malformed'> {
  return new CrumbError('token_malformed', { cause: new Error(what) });
}
