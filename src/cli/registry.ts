/**
 * The commands, in the order in which the help lists them.
 *
 * @module
 */
import type { Command } from './command.ts';
import { devIdp } from './commands/dev-idp.ts';
import { devLogin } from './commands/dev-login.ts';
import { init } from './commands/init.ts';
import { keygen } from './commands/keygen.ts';
import { log } from './commands/log.ts';

export const COMMANDS: readonly Command[] = [init, keygen, devIdp, devLogin, log];
