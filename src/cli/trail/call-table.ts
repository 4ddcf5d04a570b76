/**
 * Calls as lines of a table, and as trees below their humans.
 *
 * @module
 */
import { renderTable, renderTree, type Cell, type TreeNode } from '../terminal/layout.ts';
import type { Paint, Style } from '../terminal/style.ts';
import { mixesScripts } from '../terminal/visible.ts';
import type { LoggedCall } from './logged-call.ts';

/** Names of humans by pseudonym; only of those whose naming is on record. */
export type Names = ReadonlyMap<string, string>;

/** So much of a pseudonym tells people apart (60 bits). */
const SHOWN = 10;

export function callTable(
  calls: readonly LoggedCall[],
  names: Names,
  { style, columns }: { readonly style: Style; readonly columns: number },
): string[] {
  return renderTable(
    [
      { title: '#', align: 'right' },
      { title: 'time (UTC)' },
      { title: 'human', least: 8 },
      { title: 'agents', least: 8 },
      { title: 'tool', least: 8 },
      { title: 'verdict' },
      { title: 'outcome', least: 9 },
    ],
    calls.map((call) => [
      { text: String(call.seq), paint: style.dim },
      { text: call.time.slice(0, 19).replace('T', ' ') },
      humanCell(call.human, names, style),
      { text: call.chain.join(' > '), paint: style.cyan },
      toolText(call),
      verdictCell(call, style),
      outcomeCell(call, style),
    ]),
    { columns, heading: style.bold },
  );
}

/** Humans, the agents below them in order of delegation, and each call below the agent that made it. */
export function callTree(calls: readonly LoggedCall[], names: Names, style: Style): string[] {
  const humans = [...new Set(calls.map(({ human }) => human))];
  return renderTree(
    humans.map((human) => ({
      line: [humanCell(human, names, style)],
      children: agentNodes(
        calls.filter((call) => call.human === human),
        [],
        style,
      ),
    })),
    style.dim,
  );
}

function agentNodes(
  calls: readonly LoggedCall[],
  above: readonly string[],
  style: Style,
): TreeNode[] {
  const own = calls.filter(({ chain }) => chain.length === above.length);
  const deeper = calls.filter(({ chain }) => chain.length > above.length);
  const agents = [...new Set(deeper.map(({ chain }) => chain[above.length] ?? ''))];
  return [
    ...own.map((call) => ({ line: callLine(call, style) })),
    ...agents.map((agent) => ({
      line: [{ text: agent, paint: style.cyan }],
      children: agentNodes(
        deeper.filter(({ chain }) => chain[above.length] === agent),
        [...above, agent],
        style,
      ),
    })),
  ];
}

function callLine(call: LoggedCall, style: Style): Cell[] {
  return [
    { text: call.time.slice(0, 19).replace('T', ' '), paint: style.dim },
    toolText(call),
    verdictCell(call, style),
    outcomeCell(call, style),
    { text: `#${call.seq}`, paint: style.dim },
  ];
}

/** A delegation is no tool: what it gave the work to says more. */
function toolText({ tool, action, resource }: LoggedCall): string {
  const text = action === 'delegate' ? `to ${resource.replace('urn:agent:', '')}` : tool;
  return mixesScripts(text) ? `${text} (mixed scripts)` : text;
}

function humanCell(human: string | null, names: Names, style: Style): Cell {
  if (human === null) return { text: 'no human session', paint: style.yellow };
  const name = names.get(human);
  const short = human.slice(0, SHOWN);
  return name === undefined ? { text: short } : { text: `${name} (${short})`, paint: style.bold };
}

function verdictCell({ verdict, reason }: LoggedCall, style: Style): Cell {
  if (verdict === null) return { text: 'not judged', paint: style.dim };
  const paint: Paint = verdict === 'authorized' ? style.green : style.red;
  return { text: reason === null ? verdict : `${verdict}: ${reason}`, paint };
}

function outcomeCell({ outcome, code, ms }: LoggedCall, style: Style): Cell {
  const took = ms === null ? '' : ` ${ms} ms`;
  const why = code === null ? '' : ` (${code})`;
  return { text: `${outcome}${why}${took}`, paint: outcomePaint(outcome, style) };
}

function outcomePaint(outcome: LoggedCall['outcome'], style: Style): Paint {
  if (outcome === 'ok') return style.green;
  return outcome === 'refused' ? style.yellow : style.red;
}
