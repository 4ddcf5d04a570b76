/**
 * Anchors at witnesses. A log accepts two histories of one ledger; a witness cosigns only one. How many of
 * them, and whose, a C2SP policy says.
 *
 * @module
 */
import { CrumbError, isCrumbError } from '../errors.ts';
import { parseVkey } from '../evidence/note.ts';
import { verifyReceipt } from '../evidence/receipt.ts';
import { meetsQuorum, parseWitnessPolicy, type WitnessPolicy } from '../evidence/witness-policy.ts';
import type { Anchor, AnchorRequest } from '../ledger/anchor.ts';
import { addCheckpoint, type WitnessClient } from './add-checkpoint.ts';
import { anchorFetch, anchorUrl } from './anchor-fetch.ts';
import { pinnedText } from './pinned-file.ts';

/** A witness, and who runs it. */
export interface WitnessEntry {
  /** Its key, from its operator, algorithm byte 0x04. */
  readonly vkey: string;
  /** Its submission prefix. */
  readonly url: string;
  /** Who runs it, in one word. Witnesses of one operator count once. Default: each is of its own. */
  readonly operator?: string;
}

/** Witnesses, and how many of them are enough. */
export interface WitnessOptions {
  /**
   * A C2SP policy file, its text or its path, with a URL for each witness that is to be asked; or the
   * witnesses themselves.
   */
  readonly policy:
    string | { readonly quorum: number; readonly witnesses: readonly WitnessEntry[] };
  /** Name of this anchor in the ledger. Default `witness`. */
  readonly name?: string;
  /** How long to wait for each, in milliseconds. Default 10000. */
  readonly timeoutMs?: number;
  /** Replaces the global `fetch`, for a proxy or a test. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * Witnesses as one anchor: it holds when enough of them have cosigned.
 *
 * Witnesses that the operator of the ledger runs prove nothing to anybody else: whoever verifies brings a
 * policy of their own.
 *
 * @throws {CrumbError} `trust_invalid`, also for a quorum of none or one that those with a URL cannot
 *   reach; `file_unreadable`, `config_invalid`.
 */
export function witness(options: WitnessOptions): Anchor {
  const { timeoutMs = 10_000, fetch, name = 'witness' } = options;
  const policy = parseWitnessPolicy(policyText(options.policy));
  const ask = anchorFetch({ timeoutMs, fetch });
  const clients = policy.witnesses.flatMap(({ vkey, url }): WitnessClient[] =>
    url === undefined ? [] : [{ vkey, url: anchorUrl(url, 'witness'), ask, seen: 0 }],
  );
  requireReachable(policy, clients);
  return {
    type: 'witness',
    name,
    prepare: async () => undefined,
    submit: async (request) => ({ type: 'witness', text: await cosign(policy, clients, request) }),
    async verify({ note, origin, vkey }, { text }) {
      const result = await verifyReceipt({
        type: 'witness',
        note,
        receipt: text,
        ledger: { origin, vkeys: [vkey], anchorKeys: [] },
        trust: { witnesses: policy },
      });
      // Too few are no receipt: the policy says when a checkpoint counts as witnessed.
      return result.ok && !result.quorum ? { ok: false, fault: 'witness_unknown' } : result;
    },
  };
}

/** Asks all at once: the slowest decides how long it takes, and one that is down decides nothing. */
async function cosign(
  { quorum }: WitnessPolicy,
  clients: readonly WitnessClient[],
  request: AnchorRequest,
): Promise<string> {
  const answers = await Promise.allSettled(clients.map((client) => addCheckpoint(client, request)));
  const failures = answers.flatMap((answer) =>
    answer.status === 'rejected' ? [failureOf(answer.reason)] : [],
  );
  // One that saw another history outweighs any number that did not.
  const fork = failures.find(({ code }) => code === 'ledger_forked');
  if (fork !== undefined) throw fork;
  const lines = new Map<string, string>();
  for (const [n, answer] of answers.entries()) {
    const vkey = clients[n]?.vkey;
    if (answer.status === 'fulfilled' && vkey !== undefined) lines.set(vkey, answer.value);
  }
  if (meetsQuorum(quorum, new Set(lines.keys()))) return [...lines.values()].join('');
  throw failures[0] ?? new CrumbError('anchor_unreachable');
}

/** Reading the ledger for a proof can fail too; another attempt may go better. */
function failureOf(reason: unknown): CrumbError {
  return isCrumbError(reason) ? reason : new CrumbError('anchor_unreachable', { cause: reason });
}

function requireReachable({ quorum }: WitnessPolicy, clients: readonly WitnessClient[]): void {
  const all = new Set(clients.map(({ vkey }) => vkey));
  if (quorum === 'none' || !meetsQuorum(quorum, all)) {
    throw new CrumbError('trust_invalid', { names: ['quorum'] });
  }
}

function policyText(policy: WitnessOptions['policy']): string {
  if (typeof policy === 'string') return pinnedText(policy);
  const { quorum, witnesses } = policy;
  const operators = new Map<string, string[]>();
  const lines = witnesses.map(({ vkey, url, operator }, n) => {
    const name = `witness-${n + 1}`;
    if (parseVkey(vkey) === undefined) throw new CrumbError('trust_invalid', { names: [name] });
    const owner = operator ?? name;
    operators.set(owner, [...(operators.get(owner) ?? []), name]);
    return `witness ${name} ${vkey} ${url}`;
  });
  const groups = [...operators.values()].map(
    (names, n) => `group operator-${n + 1} any ${names.join(' ')}`,
  );
  const members = groups.map((_group, n) => `operator-${n + 1}`).join(' ');
  return [...lines, ...groups, `group enough ${quorum} ${members}`, 'quorum enough', ''].join('\n');
}
