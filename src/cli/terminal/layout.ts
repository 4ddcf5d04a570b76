/**
 * Tables and trees. Each takes text as others wrote it and makes it safe here, so that no command can
 * forget to.
 *
 * @module
 */
import { visible } from '../../evidence/visible.ts';
import type { Paint } from './style.ts';
import { fit, widthOf } from './width.ts';

/** Text from anywhere, and how to paint it once it is safe. */
export interface Span {
  readonly text: string;
  readonly paint?: Paint;
}

export type Cell = string | Span;

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Narrowest width to which this column may be cut. Default: it is never cut. */
  readonly least?: number;
}

export interface TableOptions {
  /** Columns of the terminal; `Infinity` cuts nothing. */
  readonly columns: number;
  readonly heading?: Paint;
}

const GAP = '  ';

/** Lines of a table: a heading, then a line for each row. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string[] {
  const heading: readonly Cell[] = columns.map(({ title }) =>
    options.heading === undefined ? title : { text: title, paint: options.heading },
  );
  const body = [heading, ...rows].map((row) => row.map(safeSpan));
  const widths = shrink(
    columns.map((column, n) => ({
      width: Math.max(...body.map((row) => widthOf(row[n]?.text ?? ''))),
      least: column.least,
    })),
    options.columns,
  );
  return body.map((row) =>
    columns
      .map((column, n) => {
        const span = row[n] ?? { text: '' };
        const width = widths[n] ?? 0;
        const text = fit(span.text, width);
        const padding = ' '.repeat(width - widthOf(text));
        const painted = painter(span)(text);
        return column.align === 'right' ? padding + painted : painted + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** One line of a tree and what hangs below it. */
export interface TreeNode {
  readonly line: readonly Cell[];
  readonly children?: readonly TreeNode[];
}

/** Lines of trees, one after the other. Long lines are not cut: a tree is read for its names. */
export function renderTree(roots: readonly TreeNode[], guide: Paint): string[] {
  return roots.flatMap((root) => [renderLine(root.line), ...renderBranches(root, '', guide)]);
}

/** Spans of one line, safe and painted, side by side. */
export function renderLine(cells: readonly Cell[]): string {
  return cells
    .map(safeSpan)
    .filter((span) => span.text !== '')
    .map((span) => painter(span)(span.text))
    .join(' ');
}

function renderBranches(node: TreeNode, indent: string, guide: Paint): string[] {
  const children = node.children ?? [];
  return children.flatMap((child, n) => {
    const last = n === children.length - 1;
    return [
      guide(`${indent}${last ? '└─ ' : '├─ '}`) + renderLine(child.line),
      ...renderBranches(child, `${indent}${last ? '   ' : '│  '}`, guide),
    ];
  });
}

/** Takes width from the widest column that can give some, until the table fits or none can. */
function shrink(
  columns: readonly { readonly width: number; readonly least: number | undefined }[],
  available: number,
): number[] {
  const widths = columns.map(({ width }) => width);
  const total = (): number => widths.reduce((a, b) => a + b, GAP.length * (widths.length - 1));
  const floor = (n: number): number => columns[n]?.least ?? widths[n] ?? 0;
  while (total() > available) {
    const widest = widths
      .map((width, n) => ({ n, width, spare: width - floor(n) }))
      .filter(({ spare }) => spare > 0)
      .toSorted((a, b) => b.width - a.width)[0];
    if (widest === undefined) break;
    widths[widest.n] = widest.width - 1;
  }
  return widths;
}

function safeSpan(cell: Cell): Span {
  const span = typeof cell === 'string' ? { text: cell } : cell;
  return { ...span, text: visible(span.text) };
}

function painter(span: Span): Paint {
  return span.paint ?? ((text) => text);
}
