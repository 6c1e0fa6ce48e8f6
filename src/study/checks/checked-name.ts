import { UserError } from '../../base/errors.js';
import type { StorageLimits } from '../storage/storage.js';
import { shown } from '../trials/fail-reason.js';

/**
 * Checks that storages accept the name of an attribute, a parameter or a study.
 *
 * @param kind what it names, for the error
 * @param others the names of its kind that are in use
 * @throws UserError when it is not a string, holds what not every storage keeps (NUL, half a surrogate pair), is longer
 * than the storage takes, or is one that the database takes for another in use.
 */
export function checkName(
  kind: string,
  name: unknown,
  { letters, fold }: StorageLimits = {},
  others: Readonly<Record<string, unknown>> = {},
): void {
  if (typeof name !== 'string')
    throw new UserError(`${kind}: expected a name that is a string, got ${shown(name)}`, { name });
  if (!isKept(name))
    throw new UserError(
      `${kind} ${JSON.stringify(name)}: expected text without NUL and unpaired surrogates, which databases lose`,
      { name },
    );
  if (letters !== undefined && name.length > letters && [...name].length > letters)
    throw new UserError(
      `${kind} "${name.slice(0, 40)}…": expected a name of at most ${letters} letters, which is all that this ` +
        `storage takes, got ${[...name].length}`,
      { name },
    );
  if (!fold || Object.hasOwn(others, name)) return;
  const folded = fold(name);
  const other = Object.keys(others).find((each) => fold(each) === folded);
  if (other !== undefined)
    throw new UserError(
      `${kind} "${name}": this database takes it for "${other}", which is in use; give it another name`,
      { name, other },
    );
}

/** Whether it holds neither NUL nor half a surrogate pair. */
function isKept(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code === 0) return false;
    if ((code & 0xf800) === 0xd800) return !name.includes('\0') && !/\p{Surrogate}/u.test(name);
  }
  return true;
}

/** @throws UserError when something that should be values by name is not an object of them. */
export function checkRecord(what: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map)) return;
  throw new UserError(`${what}: expected an object of values by name, got ${shown(value)}`, { value });
}
