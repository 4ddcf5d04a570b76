/**
 * A second, slow implementation of `crumb/1` and of what is below it, written from
 * docs/formats/entry-v1.md and checkpoint-v1.md: JSON by hand, trees by recursion, `node:crypto`. It
 * shares no code with src/, so that both can only agree by both being right.
 */
import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';

const ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** RFC 8785, as its text says it. */
export function slowJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '0' : String(value);
  if (typeof value === 'string') return slowString(value);
  if (Array.isArray(value)) return `[${value.map(slowJson).join(',')}]`;
  if (typeof value !== 'object') throw new Error('not JSON');
  const names = Object.keys(value);
  for (let n = 1; n < names.length; n++) {
    for (let m = n; m > 0 && comesAfter(names[m - 1] ?? '', names[m] ?? ''); m--) {
      [names[m - 1], names[m]] = [names[m] ?? '', names[m - 1] ?? ''];
    }
  }
  const members = new Map<string, unknown>(Object.entries(value));
  return `{${names.map((name) => `${slowString(name)}:${slowJson(members.get(name))}`).join(',')}}`;
}

function slowString(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (ESCAPES[character] !== undefined) out += ESCAPES[character];
    else if (code < 0x20) out += `\\u${code.toString(16).padStart(4, '0')}`;
    else out += character;
  }
  return `${out}"`;
}

/** Order of UTF-16 code units, one by one. */
function comesAfter(a: string, b: string): boolean {
  for (let n = 0; n < Math.min(a.length, b.length); n++) {
    if (a.charCodeAt(n) !== b.charCodeAt(n)) return a.charCodeAt(n) > b.charCodeAt(n);
  }
  return a.length > b.length;
}

export function slowSha256(...parts: (Buffer | string)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function slowLeaf(bytes: Buffer): Buffer {
  return slowSha256(Buffer.from([0]), bytes);
}

/** MTH of RFC 6962 section 2.1, over leaf hashes. */
export function slowRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return slowSha256('');
  if (leaves.length === 1) return leaves[0] ?? Buffer.alloc(0);
  const k = largestPowerBelow(leaves.length);
  return slowSha256(Buffer.from([1]), slowRoot(leaves.slice(0, k)), slowRoot(leaves.slice(k)));
}

/** PATH of RFC 6962 section 2.1.1. */
export function slowInclusion(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const k = largestPowerBelow(leaves.length);
  return index < k
    ? [...slowInclusion(index, leaves.slice(0, k)), slowRoot(leaves.slice(k))]
    : [...slowInclusion(index - k, leaves.slice(k)), slowRoot(leaves.slice(0, k))];
}

/** PROOF of RFC 6962 section 2.1.2. */
export function slowConsistency(oldSize: number, leaves: readonly Buffer[]): Buffer[] {
  return subproof(oldSize, leaves, true);
}

function subproof(m: number, leaves: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (m === leaves.length) return isWhole ? [] : [slowRoot(leaves)];
  const k = largestPowerBelow(leaves.length);
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), isWhole), slowRoot(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), slowRoot(leaves.slice(0, k))];
}

function largestPowerBelow(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

export function slowCommitment(salt: Buffer, label: string, value: Buffer): string {
  const mac = createHmac('sha256', salt).update(`crumb/1 ${label}\n`).update(value).digest();
  return `h1.${mac.toString('base64url')}`;
}

export function slowMembersCommitment(salt: Buffer, label: string, value: object): string {
  const members = Object.entries(value).toSorted(([a], [b]) => (comesAfter(a, b) ? 1 : -1));
  const leaves = members.map(([name, member], n) => {
    const number = Buffer.from([n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);
    const own = createHmac('sha256', salt).update('crumb/1 member\n').update(number).digest();
    const data = createHmac('sha256', own)
      .update(`crumb/1 ${label}\n[${slowString(name)},${slowJson(member)}]`)
      .digest();
    return slowLeaf(data);
  });
  return `f1.${slowRoot(leaves).toString('base64url')}`;
}

export function slowPseudonym(key: Buffer, origin: string, epoch: string): string {
  return createHmac('sha256', key)
    .update('crumb/1 human\n')
    .update(origin)
    .update('\n')
    .update(epoch)
    .digest('base64url');
}

export interface SlowDraft {
  readonly kind: string;
  readonly body: unknown;
  readonly time: string;
}

export interface SlowHead {
  readonly size: number;
  readonly text: string;
  readonly signature: Buffer;
  readonly note: string;
}

export interface SlowLedger {
  readonly vkey: string;
  readonly entries: readonly { readonly bytes: Buffer; readonly leaf: Buffer }[];
  /** One for each commit. */
  readonly heads: readonly SlowHead[];
}

/** A whole ledger: the entries of each commit, and the head that it signs. */
export function slowLedger(
  origin: string,
  seed: Buffer,
  commits: readonly (readonly SlowDraft[])[],
): SlowLedger {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  const data = Buffer.concat([Buffer.from([1]), raw]);
  const id = slowSha256(origin, '\n', data).subarray(0, 4);

  const entries: { bytes: Buffer; leaf: Buffer }[] = [];
  const heads = commits.map((drafts) => {
    for (const { kind, body, time } of drafts) {
      const prev = entries.at(-1)?.leaf ?? Buffer.alloc(32);
      const bytes = Buffer.from(
        `{"body":${slowJson(body)},"kind":"${kind}","prev":"${prev.toString('base64url')}",` +
          `"seq":${entries.length},"time":"${time}","v":"crumb/1"}`,
      );
      entries.push({ bytes, leaf: slowLeaf(bytes) });
    }
    const root = slowRoot(entries.map((entry) => entry.leaf));
    const text = `${origin}\n${entries.length}\n${root.toString('base64')}\n`;
    const signature = sign(null, Buffer.from(text), key);
    const line = Buffer.concat([id, signature]).toString('base64');
    return { size: entries.length, text, signature, note: `${text}\n— ${origin} ${line}\n` };
  });
  return {
    vkey: `${origin}+${id.toString('hex')}+${data.toString('base64')}`,
    entries,
    heads,
  };
}
