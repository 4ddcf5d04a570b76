/**
 * What the demo sets out to show, read off its trail. docs/demo.md explains each.
 *
 * @module
 */
import type { DemoOptions, DemoResult } from './run-demo.ts';

export interface DemoFacts {
  /** Every call leads to the one login, and record 42 was read by planner → researcher. */
  readonly attributed: boolean;
  readonly authorizedReads: readonly number[];
  /** Calls without recorded authorization, by row. */
  readonly unauthorized: readonly number[];
  /** Why the export did not run; null if it ran or was never tried. */
  readonly exportRefused: string | null;
  readonly exportRan: boolean;
  readonly ledgerSound: boolean;
  /** Whether verification of the forged copy names the forged row; null if nothing was forged. */
  readonly forgeryFound: boolean | null;
  readonly forgedRow: number | null;
}

export function demoFacts({ sessions, checked, tampered }: DemoResult): DemoFacts {
  const [session, ...others] = sessions;
  const calls = session?.calls ?? [];
  const reads = calls.filter(
    ({ action, verdict }) => action === 'read_record' && verdict === 'authorized',
  );
  const exported = calls.find(({ action }) => action === 'export_record');
  return {
    attributed:
      others.length === 0 && reads.some(({ chain }) => chain.join(' ') === 'planner researcher'),
    authorizedReads: reads.map(({ seq }) => seq),
    unauthorized: calls.filter(({ verdict }) => verdict === 'unauthorized').map(({ seq }) => seq),
    exportRefused: exported?.outcome === 'refused' ? exported.code : null,
    exportRan: exported?.outcome === 'ok',
    ledgerSound: checked.report.sound,
    forgeryFound:
      tampered === undefined
        ? null
        : !tampered.checked.report.sound &&
          tampered.checked.report.findings.some(
            (finding) => 'seq' in finding && finding.seq === tampered.change.seq,
          ),
    forgedRow: tampered?.change.seq ?? null,
  };
}

/** Whether the story went as docs/demo.md tells it. A real model may do as it likes. */
export function wentAsTold(options: DemoOptions, result: DemoResult): boolean {
  const facts = demoFacts(result);
  const recorded = facts.ledgerSound && facts.forgeryFound !== false;
  if (options.live !== undefined) return recorded;
  const hijacked = options.inject !== 'none';
  return (
    recorded &&
    facts.attributed &&
    facts.unauthorized.length === (hijacked ? 2 : 0) &&
    facts.exportRan === (hijacked && options.coarse) &&
    facts.exportRefused === (hijacked && !options.coarse ? 'exchange_refused' : null)
  );
}
