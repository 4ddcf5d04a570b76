/**
 * A development log in a process of its own, so that a test can kill it: `node log-process.ts FOLDER`. Says
 * where it listens; faults come as lines on standard input.
 */
import { createInterface } from 'node:readline';
import { startDevLog } from '../../src/dev/log.ts';
import { LOG_FAULTS } from '../../src/dev/transparency/faults.ts';

const [folder = ''] = process.argv.slice(2);
const log = await startDevLog({ folder });
process.stdout.write(`${log.url}\n`);
createInterface({ input: process.stdin }).on('line', (line) => {
  log.fault(LOG_FAULTS.find((fault) => fault === line));
  process.stdout.write(`${line}\n`);
});
