import { isDeepStrictEqual } from 'node:util';
import { didYouMean } from '../base/did-you-mean.js';
import { UserError } from '../base/errors.js';
import { configFile } from './config-file.js';
import { defaultsOf, expected, type Flag, flagName, valueOf, wordsFlag } from './flag.js';

/** Whether a table has all flags of a command line (others are errors) or some of them (others are passed over). */
export type Known = 'all' | 'some';

/** Flags that say how the others are read: no recipe sees them, and no file holds them. */
export const ABOUT_READING: readonly string[] = ['config', 'help', 'version'];

/** What a command line and its config file say, as yet unchecked. */
export interface RawValues {
  /** The values on the command line, by flag. */
  readonly words: ReadonlyMap<string, unknown>;
  /** Notes for the user, such as on a flag that is given twice. */
  readonly notes: readonly string[];
  /** The value of a flag, undefined where there is none, and where it stands, as messages begin. */
  of(flag: Flag): { readonly value: unknown; readonly where: string };
}

/**
 * Reads the words of a command line and the file that `--config` names, which they override. A command line that only shows
 * a text (`--help`, `--version`) reads no file.
 *
 * @throws UserError for a word, a flag or a key that is none, and for a flag without its value.
 */
export function readRawValues(
  argv: readonly string[],
  table: ReadonlyMap<string, Flag>,
  known: Known = 'all',
): RawValues {
  const { values: words, notes } = readWords(argv, table, known);
  const shows = words.get('help') === true || words.get('version') === true;
  const path = shows ? undefined : words.get('config');
  const inFiles = new Map([...table].filter(([name]) => !ABOUT_READING.includes(name)));
  const file = typeof path === 'string' ? configFile(path, inFiles, known) : new Map<string, unknown>();
  const given = new Map<string, { readonly value: unknown; readonly where: string }>();
  const of = (flag: Flag) => {
    if (!words.has(flag.name) && file.has(flag.name))
      return { value: file.get(flag.name), where: `${String(path)}: ${flag.key}` };
    const own = { value: words.get(flag.name), where: `--${flag.name}` };
    return words.has(flag.name) ? own : (given.get(flag.name) ?? own);
  };
  for (const flag of shows ? [] : table.values()) {
    const { value, where } = of(flag);
    const defaults = value === undefined ? undefined : defaultsOf(flag);
    if (!defaults) continue;
    valueFor(flag, value, where);
    const { from, values, notes: said = false } = defaults(value);
    for (const [key, own] of Object.entries(values)) {
      const other = table.get(flagName(key));
      if (!other) continue;
      // A text is as on the command line: `train-list: train.txt` is a list of one.
      const read = typeof own === 'string' ? valueOf(own, other.schema) : own;
      const earlier = of(other);
      if (said && earlier.value !== undefined && !isDeepStrictEqual(earlier.value, read))
        notes.push(`${earlier.where} ${shown(earlier.value)} overrides ${shown(own)} of ${from}`);
      if (!given.has(other.name)) given.set(other.name, { value: read, where: `${from}: ${key}` });
    }
  }
  return { words, notes, of };
}

function shown(value: unknown): string {
  return typeof value === 'object' && !Array.isArray(value) ? JSON.stringify(value) : String(value);
}

function readWords(
  argv: readonly string[],
  table: ReadonlyMap<string, Flag>,
  known: Known,
): { readonly values: ReadonlyMap<string, unknown>; readonly notes: string[] } {
  const values = new Map<string, unknown>();
  const notes: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] === '-h' ? '--help' : argv[i]!;
    if (!word.startsWith('--')) {
      addWord(values, word, table, known);
      continue;
    }
    const equals = word.indexOf('=');
    const spelled = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const name = flagName(spelled);
    const positive = table.get(name);
    const negated = name.startsWith('no-') ? table.get(name.slice(3)) : undefined;
    const flag = positive ?? (negated?.schema.type === 'boolean' ? negated : undefined);
    if (!flag && known === 'some') continue;
    if (!flag) {
      const names = [...table.keys()].map((name) => `--${name}`);
      throw new UserError(`--${spelled}: unknown flag${didYouMean(`--${name}`, names)}`, { flag: spelled });
    }
    let value: unknown;
    if (!positive) {
      if (equals >= 0)
        throw new UserError(
          `--${spelled}: expected no value, got ${JSON.stringify(word.slice(equals + 1))}`,
          {
            flag: spelled,
          },
        );
      value = false;
    } else if (equals >= 0) value = valueOf(word.slice(equals + 1), flag.schema);
    else if (flag.schema.type === 'boolean') {
      const explicit = /^(true|false)$/i.test(argv[i + 1] ?? '');
      value = explicit ? valueOf(argv[++i]!, flag.schema) : true;
    } else {
      const next = argv[i + 1];
      const isAlone = next === undefined || next.startsWith('--');
      if (isAlone && flag.schema.anyOf?.some(({ type }) => type === 'boolean')) {
        values.set(flag.name, true);
        continue;
      }
      if (isAlone)
        throw new UserError(`--${spelled}: expected ${expected(flag.schema)}, got nothing`, {
          flag: flag.name,
        });
      value = valueOf(next, flag.schema);
      i++;
    }
    const before = values.get(flag.name);
    if (Array.isArray(before) && Array.isArray(value) && !flag.schema.single) value = [...before, ...value];
    else if (before !== undefined)
      notes.push(`--${flag.name}: given twice; the last one counts, ${JSON.stringify(value)}`);
    values.set(flag.name, value);
  }
  return { values, notes };
}

/** A word without a flag: a value of the flag that takes such words. @throws UserError where there is none. */
function addWord(
  values: Map<string, unknown>,
  word: string,
  table: ReadonlyMap<string, Flag>,
  known: Known,
): void {
  const flag = wordsFlag(table);
  if (flag) values.set(flag.name, [...((values.get(flag.name) as unknown[] | undefined) ?? []), word]);
  else if (known === 'all')
    throw new UserError(`${JSON.stringify(word)}: expected a flag such as --help, got a bare word`, { word });
}

/**
 * A value as the flag's type takes it, or its default.
 *
 * @throws UserError that begins with `where`: for a value that is not of the type, and for a required flag without one.
 */
export function valueFor(flag: Flag, value: unknown, where: string): unknown {
  if (value === undefined && flag.required)
    throw new UserError(`--${flag.name}: required; expected ${expected(flag.schema)}`, { flag: flag.name });
  const result = flag.type.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const want = issue.message.startsWith('expected') ? issue.message : `expected ${expected(flag.schema)}`;
  const place = issue.path[0];
  const got: unknown = Array.isArray(value) && typeof place === 'number' ? value[place] : value;
  const choices = (flag.schema.enum ?? flag.schema.items?.enum ?? []).map(String);
  const hint = typeof got === 'string' && !choices.includes(got) ? didYouMean(got, choices) : '';
  throw new UserError(`${where}: ${want}, got ${JSON.stringify(got)}${hint}`, { flag: flag.name, got });
}
