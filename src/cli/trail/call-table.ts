/**
 * Calls as lines of a table, and as trees below their humans.
 *
 * @module
 */
import { agentIdAt, DELEGATE } from '../../attribution/agent-resource.ts';
import { mixesScripts, visible } from '../../evidence/visible.ts';
import { renderTable, renderTree, type Cell, type TreeNode } from '../terminal/layout.ts';
import type { Paint, Style } from '../terminal/style.ts';
import { widthOf } from '../terminal/width.ts';
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
      { text: verdictText(call), paint: verdictPaint(call, style) },
      outcomeCell(call, style),
    ]),
    { columns, heading: style.bold },
  );
}

/** Humans, the agents below them in order of delegation, and each call below the agent that made it. */
export function callTree(calls: readonly LoggedCall[], names: Names, style: Style): string[] {
  const humans = [...new Set(calls.map(({ human }) => human))];
  const widths: Widths = {
    tool: widest(calls.map(toolText)),
    verdict: widest(calls.map(verdictText)),
  };
  return renderTree(
    humans.map((human) => ({
      line: [humanCell(human, names, style)],
      children: agentNodes(
        calls.filter((call) => call.human === human),
        [],
        { style, widths },
      ),
    })),
    style.dim,
  );
}

/** So that calls below different agents can still be compared at a glance. */
interface Widths {
  readonly tool: number;
  readonly verdict: number;
}

interface Drawing {
  readonly style: Style;
  readonly widths: Widths;
}

function agentNodes(
  calls: readonly LoggedCall[],
  above: readonly string[],
  drawing: Drawing,
): TreeNode[] {
  const own = calls.filter(({ chain }) => chain.length === above.length);
  const deeper = calls.filter(({ chain }) => chain.length > above.length);
  const agents = [...new Set(deeper.map(({ chain }) => chain[above.length] ?? ''))];
  return [
    ...own.map((call) => ({ line: callLine(call, drawing) })),
    ...agents.map((agent) => ({
      line: [{ text: agent, paint: drawing.style.cyan }],
      children: agentNodes(
        deeper.filter(({ chain }) => chain[above.length] === agent),
        [...above, agent],
        drawing,
      ),
    })),
  ];
}

function callLine(call: LoggedCall, { style, widths }: Drawing): Cell[] {
  return [
    { text: call.time.slice(0, 19).replace('T', ' '), paint: style.dim },
    { text: padded(toolText(call), widths.tool) },
    { text: padded(verdictText(call), widths.verdict), paint: verdictPaint(call, style) },
    outcomeCell(call, style),
    { text: `#${call.seq}`, paint: style.dim },
  ];
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => widthOf(visible(text))));
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(width - widthOf(visible(text)));
}

/** A delegation is no tool: what it gave the work to says more. */
function toolText({ tool, action, resource }: LoggedCall): string {
  const text = action === DELEGATE ? `to ${agentIdAt(resource) ?? resource}` : tool;
  return mixesScripts(text) ? `${text} (mixed scripts)` : text;
}

function humanCell(human: string | null, names: Names, style: Style): Cell {
  if (human === null) return { text: 'no human session', paint: style.yellow };
  const name = names.get(human);
  const short = human.slice(0, SHOWN);
  return name === undefined ? { text: short } : { text: `${name} (${short})`, paint: style.bold };
}

function verdictText({ verdict, reason }: LoggedCall): string {
  return reason === null ? (verdict ?? 'not judged') : `${verdict ?? 'not judged'}: ${reason}`;
}

function verdictPaint({ verdict }: LoggedCall, style: Style): Paint {
  if (verdict === null) return style.dim;
  return verdict === 'authorized' ? style.green : style.red;
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
