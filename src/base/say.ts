import { printable } from './printable.js';

/** Tells the user, in one line on standard error, what they should know and what stops nothing. */
export function say(line: string): void {
  process.stderr.write(printable(`${line}\n`));
}
