/**
 * The trail as a tree: the human, the agents below, and each call below the agent that made it.
 *
 * @module
 */
import { agentIdAt, DELEGATE } from '../../attribution/agent-resource.ts';
import type { Paint, Style } from '../terminal/style.ts';
import { renderTree, type Cell, type TreeNode } from '../terminal/layout.ts';
import type { LoggedCall } from '../trail/logged-call.ts';
import type { TrailSession } from './trail.ts';

/** Lines of one session's tree. `name` is only given once naming it was recorded. */
export function drawSession(
  session: TrailSession,
  name: string | undefined,
  style: Style,
): string[] {
  const who: Cell[] = [
    { text: name ?? `human ${session.human.slice(0, 12)}`, paint: style.bold },
    {
      text: name === undefined ? '' : `(${session.human.slice(0, 10)}… in the ledger)`,
      paint: style.dim,
    },
    {
      text: session.loginAt === null ? '' : `logged in ${clockTime(session.loginAt)} UTC`,
      paint: style.dim,
    },
  ];
  return renderTree([{ line: who, children: agentNodes(session.calls, [], style) }], style.dim);
}

/** Agents one deeper than `chain`, each with its own calls in order and the agents below it. */
function agentNodes(
  calls: readonly LoggedCall[],
  chain: readonly string[],
  style: Style,
): TreeNode[] {
  const below = calls.filter(
    (call) => startsWith(call.chain, chain) && call.chain.length > chain.length,
  );
  const names = [...new Set(below.map((call) => call.chain[chain.length] ?? ''))];
  return names.map((name) => {
    const own = [...chain, name];
    const made = below.filter(
      (call) => call.chain.length === own.length && startsWith(call.chain, own),
    );
    return {
      line: [
        { text: name, paint: style.cyan },
        { text: 'agent', paint: style.dim },
      ],
      children: [...made.map((call) => callNode(call, style)), ...agentNodes(below, own, style)],
    };
  });
}

/** So that verdicts stand below each other, whatever the depth. */
const WHAT_WIDTH = 26;
const INDENT = 3;

function callNode(call: LoggedCall, style: Style): TreeNode {
  const what =
    call.action === DELEGATE
      ? `delegates to ${agentIdAt(call.resource) ?? call.resource}`
      : call.tool;
  const line: Cell[] = [
    { text: clockTime(call.time), paint: style.dim },
    { text: what.padEnd(WHAT_WIDTH - INDENT * (call.chain.length - 1)) },
    verdictCell(call, style),
    outcomeCell(call, style),
    { text: `#${call.seq}`, paint: style.dim },
  ];
  const why = sentencesOf(call).map((text) => ({ line: [{ text, paint: style.dim }] }));
  return { line, children: why };
}

function verdictCell({ verdict }: LoggedCall, style: Style): Cell {
  const paint: Paint = verdict === 'authorized' ? style.green : style.red;
  const mark = verdict === 'authorized' ? '✓' : '✗';
  return { text: `${mark} ${verdict ?? 'not judged'}`.padEnd(15), paint };
}

function outcomeCell({ outcome, code, ms }: LoggedCall, style: Style): Cell {
  const paint = outcome === 'ok' ? style.green : outcome === 'refused' ? style.yellow : style.red;
  const took = ms === null ? '' : ` ${ms} ms`;
  const because = code === null ? '' : ` (${code})`;
  return { text: `${outcome === 'ok' ? 'ran, ok' : outcome}${because}${took}`, paint };
}

function sentencesOf({ verdict, reason, chain, outcome }: LoggedCall): readonly string[] {
  if (verdict !== 'unauthorized') return [];
  const acted = outcome === 'refused' ? 'It did not run.' : 'It ran.';
  const why = reason === null ? '' : ` (${reason})`;
  return [
    `no recorded authorization for this action${why}`,
    `asked for by ${chain.join(' → ')}. ${acted}`,
  ];
}

function clockTime(instant: string): string {
  return instant.slice(11, 23);
}

function startsWith(chain: readonly string[], start: readonly string[]): boolean {
  return start.every((name, n) => chain[n] === name);
}
