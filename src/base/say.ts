import { printable } from './printable.js';

/** Prints a line for the user on standard error, about something that does not stop the program. */
export function say(line: string): void {
  process.stderr.write(printable(`${line}\n`));
}
