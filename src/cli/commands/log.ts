/**
 * `crumb log`: the trail of a ledger.
 *
 * @module
 */
import type { Verdict } from '../../attribution/judge.ts';
import type { Json } from '../../attribution/tool-call.ts';
import { visible } from '../../evidence/visible.ts';
import type { CrumbOptions } from '../../gateway/create-crumb.ts';
import { usage } from '../arguments.ts';
import { defineCommand, EXIT } from '../command.ts';
import { LEDGER_CONFIG_OPTION, loadConfigBeside, requireConfig } from '../config.ts';
import { AUTH_TOKEN, ledgerPlace } from '../databases.ts';
import { callTable, callTree, type Names } from '../trail/call-table.ts';
import type { LoggedCall } from '../trail/logged-call.ts';

export const log = defineCommand({
  name: 'log',
  summary: 'show who had what done, by which agents, and whether that was authorized',
  about: [
    'Lists tool calls with their human, agents, verdict and outcome, the newest last. It reads what the ledger says and verifies nothing: that is what `crumb verify` does.',
    'Humans are pseudonyms. `--names PURPOSE` shows names from the vault; each naming is first recorded in the ledger, with the purpose.',
    `A ledger on a server is named by its URL; its token is read from ${AUTH_TOKEN}.`,
  ],
  operands: [
    { name: 'DATABASE', help: "a file or URL; default the configuration's ledger", optional: true },
  ],
  options: {
    config: LEDGER_CONFIG_OPTION,
    as: { kind: 'choice', of: ['table', 'tree'], help: 'how to lay it out', default: 'table' },
    human: { kind: 'text', value: 'PSEUDONYM', help: 'of this human; the beginning will do' },
    agent: { kind: 'text', value: 'AGENT', help: 'made by this agent, the last of the chain' },
    tool: { kind: 'text', value: 'TOOL', help: 'of this tool' },
    verdict: {
      kind: 'choice',
      of: ['authorized', 'unauthorized', 'unattributed'],
      help: 'with this verdict',
    },
    since: { kind: 'instant', value: 'TIME', help: 'not before: 2026-11-22, an instant, or 24h' },
    until: { kind: 'instant', value: 'TIME', help: 'before' },
    limit: { kind: 'count', value: 'N', help: 'at most so many, the newest', default: 100 },
    names: { kind: 'text', value: 'PURPOSE', help: 'name humans, for this recorded purpose' },
  },
  examples: [
    { line: 'crumb log', shows: 'the newest 100 calls of this project' },
    {
      line: 'crumb log --verdict unauthorized --since 24h',
      shows: 'what nobody authorized, of the last day',
    },
    {
      line: 'crumb log .crumb/ledger.db --as tree --agent researcher --json',
      shows: 'another database, one agent, for a program',
    },
    {
      line: 'crumb log --as tree --names incident-42',
      shows: 'who is behind it; the ledger remembers that you looked',
    },
  ],
  async run({ options, operands }, terminal) {
    const { names: purpose, config: configName } = options;
    if (purpose !== undefined && operands.length > 0) {
      throw usage('--names is for the ledger of the configuration, whose vault it opens');
    }
    if (options.limit === 0) throw usage('--limit is at least 1');
    const config =
      purpose === undefined
        ? await loadConfigBeside(terminal, operands[0], configName)
        : await requireConfig(terminal, configName);
    const place = ledgerPlace(terminal, operands[0], config);
    // Loaded only now: help must not wait for a database.
    const { findCalls } = await import('../trail/find-calls.ts');
    const filter = { ...options, verdict: verdictOf(options.verdict) };
    const { calls, more, scanned } = await findCalls(place, filter);
    if (scanned !== undefined && !terminal.json) {
      terminal.note(terminal.noteStyle.dim(`read crumb by crumb, since ${visible(scanned)}`));
    }
    const names =
      purpose === undefined || config === undefined
        ? new Map<string, string>()
        : await nameAll(config, calls, purpose);
    terminal.print({
      facts: { calls: calls.map((call) => factsOf(call, names)), more },
      text: () => {
        if (calls.length === 0) return ['Nothing is recorded that fits.'];
        const { style } = terminal;
        const lines =
          options.as === 'tree' ? callTree(calls, names, style) : callTable(calls, names, terminal);
        return more ? [...lines, style.dim('Older calls are left out: see --limit.')] : lines;
      },
    });
    return EXIT.ok;
  },
});

function verdictOf(word: string | undefined): Verdict | undefined {
  return word === 'authorized' || word === 'unauthorized' || word === 'unattributed'
    ? word
    : undefined;
}

/** No entry, no name: `identify` records each naming before it answers. */
async function nameAll(
  config: CrumbOptions,
  calls: readonly LoggedCall[],
  purpose: string,
): Promise<Names> {
  const humans = new Set(calls.flatMap(({ human }) => (human === null ? [] : [human])));
  const { createCrumb } = await import('../../gateway/create-crumb.ts');
  const crumb = await createCrumb(config);
  try {
    const names = new Map<string, string>();
    for (const human of humans) {
      const named = await crumb.identify(human, { purpose });
      if (named !== undefined) names.set(human, nameIn(named.claims) ?? named.person.sub);
    }
    return names;
  } finally {
    await crumb.close();
  }
}

function nameIn(claims: Json): string | undefined {
  const [, name] = Object.entries(claims ?? {}).find(([member]) => member === 'name') ?? [];
  return typeof name === 'string' ? name : undefined;
}

function factsOf(call: LoggedCall, names: Names): Json {
  const name = call.human === null ? undefined : names.get(call.human);
  return { ...call, ...(name === undefined ? {} : { name }) };
}
