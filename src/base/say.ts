import { printable } from './printable.js';

/**
 * Prints a line for the user on standard error, about something that does not stop the program. Line ends, which only a
 * name or a text from a file can bring, are spelled `\n`.
 */
export function say(line: string): void {
  process.stderr.write(`${printable(line.replaceAll('\n', '\\n'))}\n`);
}

const topics = new Set<string>();

/** Prints the first line about a topic; the process says no more about it. */
export function sayOnce(topic: string, line: string): void {
  if (topics.has(topic)) return;
  topics.add(topic);
  say(line);
}
