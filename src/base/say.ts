import { printable } from './printable.js';

/** Prints a line for the user on standard error, about something that does not stop the program. */
export function say(line: string): void {
  process.stderr.write(printable(`${line}\n`));
}

const topics = new Set<string>();

/** Prints the first line about a topic; the process says no more about it. */
export function sayOnce(topic: string, line: string): void {
  if (topics.has(topic)) return;
  topics.add(topic);
  say(line);
}
