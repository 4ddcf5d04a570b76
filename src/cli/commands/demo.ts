/**
 * `crumb demo`: the whole story on this machine, with every part real.
 *
 * @module
 */
import { toJson } from '../../attribution/canonical.ts';
import type { Json } from '../../attribution/tool-call.ts';
import { visible } from '../../evidence/visible.ts';
import type { Finding } from '../../verify/findings.ts';
import { describeFinding } from '../../verify/describe-finding.ts';
import { usage } from '../arguments.ts';
import type { LedgerCheck } from '../check-ledger.ts';
import { defineCommand, EXIT } from '../command.ts';
import { DEMO_PACKAGES, requirePackages } from '../demo/peers.ts';
import { demoFacts, wentAsTold } from '../demo/demo-facts.ts';
import { drawSession } from '../demo/draw-trail.ts';
import type { DemoOptions, DemoResult, DemoTeller } from '../demo/run-demo.ts';
import { INJECTIONS, REQUEST } from '../demo/story.ts';
import type { Style } from '../terminal/style.ts';
import type { Terminal } from '../terminal/terminal.ts';

export const demo = defineCommand({
  name: 'demo',
  summary: 'see a hijacked agent, and the record of who allowed what',
  about: [
    'Starts an identity provider, a records service and an application with two agents, as processes of their own on this machine. Alice logs in and allows one thing. A record that her agents read holds a hijacker’s words; they obey. Then look at the trail.',
    'Nothing is sent to the network and nothing is kept, unless you ask for it. The model follows a script that obeys any words it finds; with --live a real one plays.',
  ],
  operands: [],
  options: {
    inject: {
      kind: 'choice',
      of: INJECTIONS,
      default: 'output',
      help: 'where the hijacker’s words stand: in the record, in a tool’s description, nowhere',
    },
    coarse: {
      kind: 'flag',
      help: 'one scope for everything at the records service, as many services have',
    },
    live: { kind: 'flag', help: 'let a real OpenAI model play; needs OPENAI_API_KEY' },
    model: {
      kind: 'text',
      value: 'NAME',
      default: 'gpt-5-mini',
      help: 'which model plays with --live',
    },
    keep: { kind: 'text', value: 'FOLDER', help: 'leave the ledger and the vault there' },
  },
  examples: [
    { line: 'crumb demo', shows: 'the story, in about ten seconds' },
    { line: 'crumb demo --coarse', shows: 'the export runs; only the directive tells it apart' },
    { line: 'crumb demo --inject none', shows: 'the same without a hijacker' },
    { line: 'crumb demo --json', shows: 'the same facts as one document' },
  ],
  exits: { 0: 'everything went as told', 1: 'something did not: the trail shows what' },
  async run({ options }, terminal) {
    if (options.live && (terminal.env['OPENAI_API_KEY'] ?? '') === '') {
      throw usage('--live needs OPENAI_API_KEY in the environment');
    }
    const { inject, coarse, live, model, keep } = options;
    // Loaded only now: the demo needs `ai`, `zod` and `oidc-provider`, and no other command does.
    requirePackages(live ? [...DEMO_PACKAGES, '@ai-sdk/openai'] : DEMO_PACKAGES);
    const { runDemo } = await import('../demo/run-demo.ts');
    const settings: DemoOptions = { inject, coarse, keep, live: live ? model : undefined };
    const teller = terminal.json ? SILENT : tellerFor(terminal);
    if (!terminal.json) terminal.note(opening(terminal.noteStyle).join('\n'));
    const result = await runDemo(settings, teller);
    terminal.print({
      facts: documentOf(settings, result),
      text: () => ending(settings, result, terminal.style),
    });
    return wentAsTold(settings, result) ? EXIT.ok : EXIT.finding;
  },
});

const SILENT: DemoTeller = { started() {}, loggedIn() {}, answered() {} };

function opening(style: Style): string[] {
  return [
    '',
    style.bold('Which human told the agent to do that?'),
    style.dim(
      'Every part below is real and runs on this machine; only the model follows a script.',
    ),
    '',
  ];
}

function tellerFor(terminal: Terminal): DemoTeller {
  const { noteStyle: style } = terminal;
  const step = (text: string): void => terminal.note(`${style.dim('·')} ${text}`);
  return {
    started({ idp, records, agent }) {
      step(
        `three processes: identity provider (${idp.pid}), records service (${records.pid}), agents (${agent.pid})`,
      );
    },
    loggedIn(person) {
      step(`${person} logs in and allows one thing: ${style.bold('read record 42, once')}`);
      step(`${person} asks: “${REQUEST}”`);
    },
    answered(text) {
      step(`she is told: “${visible(text.trim())}”`);
      terminal.note('');
    },
  };
}

function ending(options: DemoOptions, result: DemoResult, style: Style): string[] {
  const { checked, tampered, sessions, person, kept } = result;
  const facts = demoFacts(result);
  return [
    style.bold('What the ledger says'),
    ...sessions.flatMap((session) => drawSession(session, person, style)),
    '',
    ...moral(options, facts, style),
    '',
    style.bold('Can it be believed?'),
    ...summarise(checked, style),
    ...(tampered === undefined
      ? []
      : [
          '',
          style.bold(`Now somebody edits row ${tampered.change.seq}`),
          style.dim(
            `in a copy, without the signing key: ${tampered.change.from} becomes ${tampered.change.to}`,
          ),
          ...summarise(tampered.checked, style),
        ]),
    '',
    kept === undefined
      ? style.dim(
          'Nothing was kept. `--keep FOLDER` leaves the files, for `crumb verify` and `crumb log`.',
        )
      : `Kept in ${visible(kept)}: crumb.db, crumb-vault.db, tampered.db. Try \`crumb verify\` on them.`,
  ];
}

function moral(options: DemoOptions, facts: ReturnType<typeof demoFacts>, style: Style): string[] {
  if (facts.unauthorized.length === 0) {
    return [
      `Every call is covered by what she allowed. ${style.dim('Nobody put words into the record.')}`,
    ];
  }
  const exported = facts.exportRan
    ? options.coarse
      ? 'The export ran: its scope allows it, and no directive does. The record says both.'
      : 'The export ran.'
    : facts.exportRefused === null
      ? 'Nothing was exported.'
      : 'The export did not run: the identity provider gave no token for what she never granted.';
  return [
    `${style.red(`${facts.unauthorized.length} calls have no recorded authorization`)}: rows ${facts.unauthorized.join(', ')}.`,
    exported,
    style.dim(
      'That is what the record says, and no more: not why it happened, nor who answers for it.',
    ),
  ];
}

function summarise({ report }: LedgerCheck, style: Style): string[] {
  const verdict = report.sound
    ? style.green(`✓ sound: ${report.size} entries, level “${report.level}”`)
    : style.red('✗ it does not verify');
  const open = report.notEstablished.map((finding) =>
    style.dim(`  not established: ${describeFinding(finding)}`),
  );
  return [
    verdict,
    ...firstOfEach(report.findings).map(
      ({ finding, more }) =>
        `  ${style.red(finding.code)}: ${describeFinding(finding)}${more === 0 ? '' : style.dim(` (and ${more} more)`)}`,
    ),
    ...report.warnings.map(
      (finding) => `  ${style.yellow(finding.code)}: ${describeFinding(finding)}`,
    ),
    ...(report.sound ? open : []),
  ];
}

/** One changed row spoils every tree head after it: the first of a code says what there is to say. */
function firstOfEach(findings: readonly Finding[]): { finding: Finding; more: number }[] {
  const codes = [...new Set(findings.map(({ code }) => code))];
  return codes.flatMap((code) => {
    const [finding, ...rest] = findings.filter((other) => other.code === code);
    return finding === undefined ? [] : [{ finding, more: rest.length }];
  });
}

function documentOf(options: DemoOptions, result: DemoResult): Json {
  const { answer, person, processes, vkey, sessions, checked, tampered } = result;
  const document = {
    demo: 'crumb-demo/1',
    inject: options.inject,
    coarse: options.coarse,
    model: options.live ?? 'scripted',
    processes,
    vkey,
    person,
    answer,
    sessions,
    facts: demoFacts(result),
    verification: shortReport(checked),
    forgery:
      tampered === undefined
        ? null
        : { row: tampered.change.seq, ...shortReport(tampered.checked) },
  };
  return toJson(JSON.parse(JSON.stringify(document))); // dates and undefined go as JSON writes them
}

function shortReport({ report }: LedgerCheck): object {
  const { sound, level, size, findings, warnings, notEstablished } = report;
  return { sound, level, size, findings, warnings, notEstablished };
}
