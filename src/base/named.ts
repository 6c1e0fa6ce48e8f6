import { didYouMean } from './did-you-mean.js';
import { UserError } from './errors.js';

/**
 * What a table holds under a name: how every name of a configuration is looked up.
 *
 * @throws UserError that says what was looked up, the names that there are, and the nearest one.
 * @example
 * named('loss', LOSSES, 'focl'); // loss: expected one of …, got "focl"; did you mean focal?
 */
export function named<T>(what: string, table: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(table, name)) return table[name]!;
  const names = Object.keys(table);
  throw new UserError(
    `${what}: expected one of ${names.join(', ')}, got "${name}"${didYouMean(String(name), names)}`,
    { name },
  );
}
