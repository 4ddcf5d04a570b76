/**
 * Files that a reader pins: their very text counts.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { CrumbError } from '../errors.ts';

/** The text of a file, given as text or as its path. @throws {CrumbError} `file_unreadable` */
export function pinnedText(given: string): string {
  if (/^\s*\{/.test(given) || given.includes('\n')) return given;
  try {
    return readFileSync(given, 'utf8');
  } catch (cause) {
    throw new CrumbError('file_unreadable', { cause });
  }
}
