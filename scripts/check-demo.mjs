/**
 * Holds the demo's JSON (docs/demo.md) to the story: `node scripts/check-demo.mjs FILE [--coarse]`.
 * Facts are looked up in the trail itself, so that a demo that only says so does not pass.
 */
import { readFileSync } from 'node:fs';

const [file = '', ...flags] = process.argv.slice(2);
const coarse = flags.includes('--coarse');
const demo = JSON.parse(readFileSync(file, 'utf8'));
const { sessions, facts, verification, forgery, processes } = demo;
const calls = sessions.flatMap((session) => session.calls);

const reads = calls.filter((call) => call.action === 'read_record');
const exported = calls.find((call) => call.action === 'export_record');
const isByResearcher = (call) => call?.chain.join(' > ') === 'planner > researcher';
const flagged = (call) => call?.verdict === 'unauthorized' && typeof call.reason === 'string';

const CHECKS = {
  'one login, and it is Alice': () => sessions.length === 1 && demo.person.startsWith('Alice'),
  'provider, records service and agent are processes of their own': () =>
    new Set(['idp', 'records', 'agent'].map((name) => processes[name].pid)).size === 3,
  'two records are read, by planner and researcher': () =>
    reads.length === 2 && reads.every(isByResearcher),
  'record 42 is authorized and ran': () =>
    reads[0]?.verdict === 'authorized' && reads[0].outcome === 'ok',
  'record 43 is unauthorized, for its argument, and ran': () =>
    flagged(reads[1]) && reads[1].reason.startsWith('argument') && reads[1].outcome === 'ok',
  'the export is unauthorized, with the chain named': () =>
    flagged(exported) && isByResearcher(exported),
  'the export is refused at the provider, unless the scope is coarse': () =>
    coarse
      ? exported?.outcome === 'ok'
      : exported?.outcome === 'refused' && exported.code === 'exchange_refused',
  'the facts say the same': () =>
    facts.attributed === true &&
    facts.ledgerSound === true &&
    facts.forgeryFound === true &&
    facts.exportRan === coarse &&
    facts.exportRefused === (coarse ? null : 'exchange_refused') &&
    facts.authorizedReads.includes(reads[0]?.seq) &&
    [reads[1]?.seq, exported?.seq].every((seq) => facts.unauthorized.includes(seq)),
  'the ledger verifies': () =>
    verification.sound === true &&
    verification.level === 'signed' &&
    verification.findings.length === 0 &&
    verification.notEstablished.length > 0,
  'the forgery does not, and its row is named': () =>
    forgery.sound === false &&
    forgery.row === facts.forgedRow &&
    calls.some((call) => call.seq === forgery.row) &&
    forgery.findings.some(
      (finding) => finding.seq === forgery.row || finding.seq === forgery.row + 1,
    ),
};

let failed = 0;
for (const [fact, holds] of Object.entries(CHECKS)) {
  if (isTrue(holds)) continue;
  console.error(`demo: not so: ${fact}`);
  failed += 1;
}
console.log(`demo: ${Object.keys(CHECKS).length - failed} facts hold, ${failed} do not`);
process.exitCode = failed === 0 ? 0 : 1;

/** What cannot even be looked up does not hold. */
function isTrue(holds) {
  try {
    return holds() === true;
  } catch {
    return false;
  }
}
