/** The benchmarks run and can be read. What they measure is no test's business: machines differ. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { interleave, ratioOf, spreadOf } from '../../bench/measure.ts';
import { describeSection, isMet, markdownOf, type Goal, type Section } from '../../bench/report.ts';

async function bench(
  ...words: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [resolve('bench/run.ts'), ...words]);
  const exited = new Promise<number | null>((settle) => void child.once('close', settle));
  const [code, stdout, stderr] = await Promise.all([
    exited,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

describe('npm run bench', () => {
  it('measures everything that it promises', { timeout: 120_000 }, async () => {
    const { code, stdout, stderr } = await bench('--quick', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { sections }: { sections: readonly Section[] } = JSON.parse(stdout);
    const names = ['tool-call', 'append', 'exchange', 'ai', 'verify', 'growth', 'proofs', 'size'];
    expect([...new Set(sections.map(({ name }) => name))]).toEqual(names);
    for (const { title, rows } of sections) {
      expect(rows.length, title).toBeGreaterThan(1);
      for (const { name, value } of rows) {
        expect(Number.isFinite(value.median), `${title}: ${name}`).toBe(true);
      }
    }
    const goals = sections.flatMap((section) => section.goals);
    expect(goals.length).toBeGreaterThan(10);
    expect(goals.filter(({ measured }) => !Number.isFinite(measured))).toEqual([]);
  });

  it('explains itself, and refuses a name that it does not know, and to write what means nothing', async () => {
    const [help, wrong, quick] = await Promise.all([
      bench('--help'),
      bench('--only', 'nothing'),
      bench('--quick', '--write'),
    ]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('--only NAME');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('no benchmark is called nothing');
    expect(quick).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('a measurement', () => {
  it('gives every subject as many slices, never all of one first', async () => {
    const order: string[] = [];
    const subject = (name: string): { name: string; run: () => Promise<void> } => ({
      name,
      run: async () => {
        if (order.at(-1) !== name) order.push(name);
        await new Promise((settle) => void setTimeout(settle, 1));
      },
    });
    const { time, cpu } = await interleave([subject('a'), subject('b'), subject('c')], {
      rounds: 3,
      sliceMs: 1,
      callers: 2,
    });
    expect([...time].map(([name, slices]) => [name, slices.length])).toEqual([
      ['a', 3],
      ['b', 3],
      ['c', 3],
    ]);
    expect([...cpu.keys()]).toEqual(['a', 'b', 'c']);
    expect(order.slice(0, 3).toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('takes ratios round by round, so that drift cancels', () => {
    const samples = new Map([
      ['bare', [1, 10, 100]],
      ['crumb', [2, 20, 200]],
    ]);
    expect(ratioOf(samples, 'crumb', 'bare')).toEqual({ median: 2, p10: 2, p90: 2 });
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, p10: 1, p90: 5 });
  });
});

describe('a report', () => {
  const goal: Goal = { what: 'so much', aim: 'at most', limit: 2, measured: 2, unit: 'x' };
  const section: Section = {
    name: 'some',
    title: 'Some',
    rows: [
      { name: 'bare', unit: 'us', value: { median: 1234.5, p10: 0.00001, p90: 2 } },
      {
        name: 'crumb',
        unit: 'us',
        cpuUs: 3,
        value: { median: 2, p10: 2, p90: 2 },
        over: { name: 'bare', ratio: { median: 1.2345, p10: 1, p90: 2 } },
      },
    ],
    goals: [goal, { ...goal, measured: 2.1 }, { ...goal, aim: 'at least', measured: 2.1 }],
  };

  it('says which goals are met', () => {
    expect(section.goals.map(isMet)).toEqual([true, false, true]);
    expect(describeSection(section)).toMatch(
      /goal met: so much: 2 x[^]*goal MISSED: so much: 2.1 x/,
    );
  });

  it('has goals and rows as tables', () => {
    const lines = markdownOf([section]).split('\n');
    expect(lines).toContain('| so much | at most 2 x | 2.1 x | **no** |');
    expect(lines).toContain('| crumb | 2 us |  | 3 us | 1.23x | 1 to 2 | bare |');
    expect(lines).toContain('| bare | 1,235 us | <0.001 to 2 |  |  |  |  |');
  });
});
