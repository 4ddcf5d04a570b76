/**
 * Uses, and calls that wait for a human's yes.
 *
 * @module
 */
import type { PendingApproval, PendingApprovals } from '../../ledger/ledger.ts';
import type { Connection, Run } from './connection.ts';
import { numberOf, pendingOf } from './rows.ts';

/**
 * Takes one use, under the lock.
 *
 * Never by catching a constraint: an error inside a transaction leaves open what was done.
 */
export async function spendUse(run: Run, key: Uint8Array, max: number): Promise<boolean> {
  if (max < 1) return false;
  const { rows } = await run(
    `INSERT INTO uses (key, used, max) VALUES (?, 1, ?)
     ON CONFLICT (key) DO UPDATE SET used = used + 1 WHERE used < max RETURNING used`,
    [key, max],
  );
  if (rows.length === 0) return false;
  await run('DELETE FROM pending WHERE key = ?', [key]);
  return true;
}

export async function isUseLeft(run: Run, key: Uint8Array, max: number): Promise<boolean> {
  const [row] = (await run('SELECT used, max FROM uses WHERE key = ?', [key])).rows;
  return row === undefined ? max >= 1 : numberOf(row, 'used') < numberOf(row, 'max');
}

const SWEEP = 'DELETE FROM pending WHERE expires <= ?';

export function pendingOver(connection: Connection, clock: () => Date): PendingApprovals {
  return {
    async put(request) {
      await connection.repeatably(async (run) => {
        await run(SWEEP, [clock().getTime()]);
        await run(
          `INSERT OR REPLACE INTO pending (key, session, agent, call_id, tool, args_c, salt, expires)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          valuesOf(request),
        );
      });
    },
    async find({ session, agent, callId, tool }) {
      const { rows } = await connection.read(
        `SELECT * FROM pending WHERE session = ? AND agent = ? AND call_id = ? AND tool = ?
         AND expires > ? ORDER BY expires DESC, rowid DESC LIMIT 1`,
        [session, agent, callId, tool, clock().getTime()],
      );
      return rows.map(pendingOf)[0];
    },
    async remove(key) {
      await connection.repeatably((run) => run('DELETE FROM pending WHERE key = ?', [key]));
    },
  };
}

/** The salts of what has expired go, at open and with each new request. */
export async function sweepPending(run: Run, now: Date): Promise<void> {
  await run(SWEEP, [now.getTime()]);
}

function valuesOf(request: PendingApproval): (string | number | Uint8Array)[] {
  const { key, session, agent, callId, tool, args, salt, expires } = request;
  return [key, session, agent, callId, tool, args, salt, expires.getTime()];
}
