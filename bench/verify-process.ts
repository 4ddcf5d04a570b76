/**
 * Verifies a ledger in a process of its own, so that its memory is only its own.
 *
 *   node bench/verify-process.ts LEDGER VKEY fast|full WARM-UP-LEDGER
 *
 * @module
 */
import { performance } from 'node:perf_hooks';
import { checkDatabase } from '../src/cli/check-ledger.ts';

const [path = '', key = '', mode = 'fast', warm = path] = process.argv.slice(2);

// Not `maxRSS` of the system: a process that was forked from a larger one begins with that one's.
let rss = 0;
const onProgress = (): void => {
  rss = Math.max(rss, process.memoryUsage.rss());
};

const options = { trust: { key }, full: mode === 'full', onProgress };
await checkDatabase({ url: `file:${warm}` }, options);
rss = 0;
const cpu = process.cpuUsage();
const start = performance.now();
const { report } = await checkDatabase({ url: `file:${path}` }, options);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpu);
const { sound, level, size } = report;
const measured = { seconds, cpuSeconds: (user + system) / 1e6, rssMb: rss / 2 ** 20 };
console.log(JSON.stringify({ ...measured, size, sound, level }));
