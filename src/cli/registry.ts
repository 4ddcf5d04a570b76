/**
 * The commands, in the order in which the help lists them.
 *
 * @module
 */
import type { Command } from './command.ts';
import { keygen } from './commands/keygen.ts';

export const COMMANDS: readonly Command[] = [keygen];
