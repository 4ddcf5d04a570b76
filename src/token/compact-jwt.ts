/**
 * A compact JWS as it arrives: taken apart within bounds, and not believed.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-3.1
 * @module
 */
import { CrumbError } from '../errors.ts';
import { fromBase64url, fromUtf8 } from '../evidence/bytes.ts';
import { parseBoundedJson } from './bounded-json.ts';

/** Longest token read, in characters: what common HTTP servers take as one header. */
export const MAX_TOKEN_LENGTH = 8192;

/** Members of a protected header or of a set of claims. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a token says before anyone has checked a signature. Good for choosing an issuer, no more. */
export interface UnverifiedJwt {
  readonly unverified: true;
  readonly jwt: string;
  readonly header: JsonObject;
  readonly payload: JsonObject;
}

const SHAPE = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Header parameters that name a key, or change what is signed. Keys come from the configured issuer
 * alone, and no extension is understood here.
 */
const FORBIDDEN_HEADER = ['jwk', 'jku', 'x5c', 'x5u', 'crit', 'b64', 'zip', 'enc'];

/**
 * Takes a compact JWS apart. Strict base64url, strict UTF-8, no name twice, no deep nesting: every
 * reader of these bytes sees the same claims.
 *
 * @throws {CrumbError} `token_malformed`
 */
export function parseCompactJwt(jwt: string): UnverifiedJwt {
  if (jwt.length > MAX_TOKEN_LENGTH || !SHAPE.test(jwt)) throw new CrumbError('token_malformed');
  const [headerPart = '', payloadPart = '', signaturePart = ''] = jwt.split('.');
  const [header, payload] = [parseSegment(headerPart), parseSegment(payloadPart)];
  decodeSegment(signaturePart); // or one token would have several hashes, and pass for several tokens
  if (FORBIDDEN_HEADER.some((name) => Object.hasOwn(header, name))) {
    throw new CrumbError('token_malformed', { cause: new Error('forbidden header parameter') });
  }
  return { unverified: true, jwt, header, payload };
}

function parseSegment(segment: string): JsonObject {
  const text = fromUtf8(decodeSegment(segment));
  const value = text === undefined ? undefined : parseBoundedJson(text);
  if (!isJsonObject(value)) throw new CrumbError('token_malformed');
  return value;
}

/** Refuses a second spelling of the same bytes: stray bits in the last character. */
function decodeSegment(segment: string): Uint8Array {
  const bytes = fromBase64url(segment);
  if (bytes === undefined) throw new CrumbError('token_malformed');
  return bytes;
}

/** Whether a JSON value is an object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
