import { describe, expect, it } from 'vitest';
import { renderTable, renderTree } from '../../../src/cli/terminal/layout.ts';
import { createProgress } from '../../../src/cli/terminal/progress.ts';
import { PLAIN, styleFor } from '../../../src/cli/terminal/style.ts';
import { fit, widthOf, wrap } from '../../../src/cli/terminal/width.ts';

describe('a table', () => {
  const columns = [
    { title: 'tool', least: 6 },
    { title: 'ms', align: 'right' as const },
  ];
  const rows = [
    ['read_record', '7'],
    ['東京', '1234'],
  ];

  it('lines up columns, also of wide characters', () => {
    expect(renderTable(columns, rows, { columns: Infinity })).toEqual([
      'tool           ms',
      'read_record     7',
      '東京         1234',
    ]);
  });

  it('cuts what may be cut to the width of the terminal, and says so', () => {
    expect(renderTable(columns, rows, { columns: 13 })).toEqual([
      'tool       ms',
      'read_r…     7',
      '東京     1234',
    ]);
  });

  it('does not let a cell end its line or recolour the next', () => {
    const lines = renderTable(columns, [['a\n\u001b[32mok', '1']], { columns: Infinity });
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe('a\\u{a}\\u{1b}[32mok   1');
  });

  it('paints after it measured', () => {
    const paint = (text: string): string => `<${text}>`;
    const lines = renderTable(columns, [[{ text: 'x', paint }, '1']], { columns: Infinity });
    expect(lines[1]).toBe('<x>      1');
  });
});

describe('a tree', () => {
  it('draws who hangs below whom, and no text of others as a branch', () => {
    const lines = renderTree(
      [
        {
          line: ['alice'],
          children: [
            { line: ['planner'], children: [{ line: ['researcher', 'ok'] }] },
            { line: ['x\n└─ forged'] },
          ],
        },
      ],
      PLAIN.dim,
    );
    expect(lines).toEqual(['alice', '├─ planner', '│  └─ researcher ok', '└─ x\\u{a}└─ forged']);
  });
});

describe('widths', () => {
  it('count columns, not characters', () => {
    expect([widthOf('abc'), widthOf('e\u0301'), widthOf('東'), widthOf('👍')]).toEqual([
      3, 1, 2, 2,
    ]);
  });

  it('cut with an ellipsis inside the width', () => {
    expect([fit('abcdef', 4), fit('東京都', 4), fit('abc', 3)]).toEqual(['abc…', '東…', 'abc']);
  });

  it('wrap at spaces', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  });
});

describe('colours', () => {
  it.each([
    ['a terminal', {}, true, true],
    ['a pipe', {}, false, false],
    ['NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['an empty NO_COLOR', { NO_COLOR: '' }, true, true],
    ['FORCE_COLOR in a pipe', { FORCE_COLOR: '1' }, false, true],
    ['NO_COLOR over FORCE_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    ['a dumb terminal', { TERM: 'dumb' }, true, false],
  ])('with %s', (_what, env, isTerminal, coloured) => {
    expect(styleFor(env, isTerminal).red('x') !== 'x').toBe(coloured);
  });
});

describe('a progress bar', () => {
  function draw(isTTY: boolean): string[] {
    const written: string[] = [];
    let time = 0;
    const stream = { isTTY, columns: 80, write: (text: string) => written.push(text) };
    const progress = createProgress(stream, 'verifying', { delayMs: 100, now: () => time });
    progress.update(1, 4);
    time = 200;
    progress.update(2, 4);
    time = 210; // too soon after the last
    progress.update(3, 4);
    progress.end();
    progress.end();
    return written;
  }

  it('shows late, seldom, and goes away', () => {
    expect(draw(true)).toEqual([
      `\rverifying ${'█'.repeat(12)}${'░'.repeat(12)}  50%  2  10/s\u001b[K`,
      '\r\u001b[K',
    ]);
  });

  it('is not there where nobody looks', () => {
    expect(draw(false)).toEqual([]);
  });
});
