/**
 * A process that makes calls, or dies in the middle of one: what its parent sends says which.
 *
 * @module
 */
import { createCrumb, type CrumbOptions } from '../../src/gateway/create-crumb.ts';

export interface CrashOrder {
  /** Plain data only: it comes from another process. */
  readonly options: CrumbOptions;
  readonly token: string;
  /** How many calls to make in peace. Absent: die inside the first. */
  readonly calls?: number;
}

process.once('message', (message) => {
  const order = message as CrashOrder; // the parent is the test beside this file
  void obey(order).then(() => process.exit(0));
});

async function obey({ options, token, calls }: CrashOrder): Promise<void> {
  const crumb = await createCrumb(options);
  const planner = (await crumb.session(token)).agent('planner');
  const call = { tool: 'readRecord', args: { id: 42 } };
  if (calls === undefined) await planner.invoke(call, () => process.kill(process.pid, 'SIGKILL'));
  for (let n = 0; n < (calls ?? 0); n += 1) await planner.invoke(call, () => null);
  await crumb.close();
}
