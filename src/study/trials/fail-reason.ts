import { inspect } from 'node:util';

/** The system attribute that says why a trial failed. */
export const FAIL_REASON = 'fail_reason';

/** So many letters are less than 64 KiB of JSON, whatever they are: MariaDB's limit. */
const LONGEST = 10_000;

/** The reason why a trial failed, from any thrown value, no longer than every storage allows. */
export function reasonOf(thrown: unknown): string {
  let text: string;
  try {
    if (thrown instanceof Error) text = String(thrown.message || thrown.name);
    else text = typeof thrown === 'string' ? thrown : shown(thrown);
  } catch {
    text = 'something was thrown that cannot be shown';
  }
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** A short text for any value, for an error message; never throws. */
export function shown(value: unknown): string {
  try {
    const text =
      typeof value === 'string'
        ? JSON.stringify(value.slice(0, 80))
        : inspect(value, {
            depth: 1,
            breakLength: Number.POSITIVE_INFINITY,
            maxArrayLength: 8,
            maxStringLength: 40,
          });
    return text.length > 80 ? `${text.slice(0, 79)}…` : text;
  } catch {
    return `a ${typeof value} that cannot be shown`;
  }
}
