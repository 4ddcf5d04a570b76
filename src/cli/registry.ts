/**
 * The commands, in the order in which the help lists them.
 *
 * @module
 */
import type { Command } from './command.ts';
import { demo } from './commands/demo.ts';
import { devIdp } from './commands/dev-idp.ts';
import { devLog } from './commands/dev-log.ts';
import { devLogin } from './commands/dev-login.ts';
import { devWitness } from './commands/dev-witness.ts';
import { exportBundle } from './commands/export.ts';
import { init } from './commands/init.ts';
import { keygen } from './commands/keygen.ts';
import { log } from './commands/log.ts';
import { verify } from './commands/verify.ts';

export const COMMANDS: readonly Command[] = [
  demo,
  init,
  keygen,
  devIdp,
  devLogin,
  devLog,
  devWitness,
  log,
  verify,
  exportBundle,
];
