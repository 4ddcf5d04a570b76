/**
 * Ends a run with one line that a person and a script read alike: `12 passed, 0 failed`.
 *
 * @module
 */
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** How often each result came. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The line. A run without any test is no success, whatever the runner makes of it. */
export function summaryLine({ passed, failed, skipped }: Tally): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    console.log(summaryLine(tally(modules, unhandled.length)));
  }
}

function tally(modules: readonly TestModule[], unhandled: number): Tally {
  const states = modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => test.result().state),
  );
  const count = (state: string): number => states.filter((one) => one === state).length;
  // A file that fails to load, or a hook that throws, has no failed test of its own.
  const broken = modules.reduce((sum, module) => sum + errorsOutsideTests(module), 0);
  return {
    passed: count('passed'),
    failed: count('failed') + broken + unhandled,
    skipped: count('skipped') + count('pending'),
  };
}

function errorsOutsideTests(module: TestModule): number {
  const suites = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0);
  return suites.length + (module.errors().length > 0 ? 1 : 0);
}
