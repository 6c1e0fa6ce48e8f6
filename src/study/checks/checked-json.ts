import { UserError } from '../../base/errors.js';
import type { StorageLimits } from '../storage/storage.js';
import type { Json } from '../trials/frozen-trial.js';
import { toPythonJson } from '../trials/python-json.js';
import { setOwn } from '../trials/set-own.js';

/** The deepest nesting: Python's json.loads, and with it Optuna, fails at some 1,000 levels. */
const DEEPEST = 500;

/**
 * A copy of a JSON value, which later changes by the caller do not affect; fields of undefined are left out, as in
 * JSON.
 *
 * @param what whose value it is, for the error
 * @throws UserError when any part of it is something that JSON lacks or writes as something else (undefined, a
 * function, a Date, a Map), refers to itself, or is longer than the storage takes.
 */
export function checkedJson(what: string, value: unknown, limits: StorageLimits = {}): Json {
  const json = copied(what, value);
  if (limits.bytes !== undefined) {
    const bytes = Buffer.byteLength(toPythonJson(json));
    if (bytes > limits.bytes)
      throw new UserError(
        `${what}: expected at most ${limits.bytes} bytes of JSON, which is all that this storage takes, got ${bytes}; ` +
          'keep it in a file and its path here',
        { bytes },
      );
  }
  return json;
}

/** The container of a part of the value, and the part's name in it, up to the whole. */
interface Place {
  readonly holder: object;
  readonly name: string | number;
  readonly depth: number;
  readonly up: Place | undefined;
}

function copied(what: string, value: unknown, at?: Place): Json {
  if (isScalar(value)) return value;
  if (typeof value !== 'object') throw refused(what, at, FOUND[typeof value] ?? typeof value);
  for (let place = at; place; place = place.up)
    if (place.holder === value) throw refused(what, at, 'an object that holds itself');
  const depth = (at?.depth ?? 0) + 1;
  if (depth > DEEPEST) throw refused(what, undefined, `more than ${DEEPEST} levels`);
  const part = (name: string | number, inner: unknown) =>
    isScalar(inner) ? inner : copied(what, inner, { holder: value, name, depth, up: at });
  if (Array.isArray(value)) {
    const copy: Json[] = [];
    // By index, since the array may have holes.
    for (let i = 0; i < value.length; i++) copy.push(part(i, value[i]));
    return copy;
  }

  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw refused(what, at, classOf(value));
  if (Object.getOwnPropertySymbols(value).length > 0) throw refused(what, at, 'a field named by a symbol');
  const copy: Record<string, Json> = {};
  for (const [name, inner] of Object.entries(value))
    if (inner !== undefined) setOwn(copy, name, part(name, inner));
  return copy;
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return (
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null
  );
}

function refused(what: string, at: Place | undefined, got: string): UserError {
  const hint = HINTS[got];
  return new UserError(
    `${what}: expected JSON (a string, number, boolean, null, array or plain object), got ${got}` +
      `${at ? ` at ${pathOf(at)}` : ''}${hint ? `; ${hint}` : ''}`,
    { found: got },
  );
}

function pathOf({ name, up }: Place): string {
  const step = typeof name === 'number' ? `[${name}]` : `.${name}`;
  return (up ? pathOf(up) : '') + step;
}

function classOf(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? `a ${name}` : 'an object of a class';
}

const FOUND: Readonly<Record<string, string>> = {
  function: 'a function',
  symbol: 'a symbol',
  bigint: 'a BigInt',
};

const HINTS: Readonly<Record<string, string>> = {
  undefined: 'use null, or leave it out',
  'a BigInt': 'use Number(x) or String(x)',
  'a Date': 'use date.toISOString()',
  'a Map': 'use Object.fromEntries(map)',
  'a Set': 'use [...set]',
  'a Float32Array': 'use Array.from(array)',
  'a Float64Array': 'use Array.from(array)',
  'a Int32Array': 'use Array.from(array)',
};
