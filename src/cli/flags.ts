import { z } from 'zod';
import { didYouMean } from '../base/did-you-mean.js';
import { UserError } from '../base/errors.js';
import { packageVersion } from '../base/package.js';
import { configFile } from './config-file.js';
import { type Config, expected, type Flag, type FlagGroups, flagName, flagTable, valueOf } from './flag.js';
import { helpText } from './help.js';

/** The result of a command line: a config to run with, and notes for the user; or a text to show. */
export type CommandLine<G extends FlagGroups> =
  | { readonly config: Config<G> & Plugins; readonly notes: readonly string[] }
  | { readonly show: string };

/** The user's own modules that a command line names. */
export interface Plugins {
  readonly plugin?: readonly string[];
}

const general = {
  General: {
    config: z.string().optional().describe('YAML file of flags; the command line overrides it'),
    plugin: z
      .array(z.string().min(1))
      .optional()
      .describe('modules that register your own losses, adapters, …: files, or installed packages'),
    help: z.boolean().default(false).describe('show this text'),
    version: z.boolean().default(false).describe('show the version of millrace'),
  },
} satisfies FlagGroups;

/**
 * Parses a command line by a table of flags.
 *
 * A key `blockRank` is the flag `--block-rank`, also spelled `--block_rank`; values follow after a blank or `=`.
 * A boolean is `--flag` or `--no-flag`, a list is comma-separated or repeated, and a fraction may be written `25%`.
 * The command line wins over `--config file.yaml`, and that over the defaults; of a flag that is given twice the last
 * counts, so that scripts can append to a command.
 *
 * @throws UserError for an unknown flag or key, a bad or missing value: it names the flag and the nearest fit.
 * @example
 * const groups = { Training: { epochs: z.int().min(1).default(50).describe('passes over the training split') } };
 * flags(['--epochs', '3'], groups, { name: 'train', description: 'Trains.' }); // => { config: { epochs: 3 }, notes: [] }
 */
export function flags<G extends FlagGroups>(
  argv: readonly string[],
  groups: G,
  about: { readonly name: string; readonly usage?: string; readonly description: string },
): CommandLine<G> {
  const table = flagTable({ ...groups, ...general });
  const { given, notes } = readWords(argv, table);
  if (given.get('help') === true)
    return { show: helpText(about.usage ?? `node recipes/${about.name}.js`, about.description, table) };
  if (given.get('version') === true) return { show: `millrace ${packageVersion()}\n` };
  for (const name of Object.keys(general.General)) if (name !== 'plugin') table.delete(name);

  const path = given.get('config');
  const fromFile = typeof path === 'string' ? configFile(path, table) : new Map<string, unknown>();
  const config: Record<string, unknown> = {};
  for (const flag of table.values()) {
    const inFile = !given.has(flag.name) && fromFile.has(flag.name);
    const where = inFile ? `${String(path)}: ${flag.key}` : `--${flag.name}`;
    const value = inFile ? fromFile.get(flag.name) : given.get(flag.name);
    const { ignored } = flag.schema;
    if (flag.name === 'plugin' && value === undefined) continue;
    if (ignored === undefined) config[flag.key] = check(flag, value, where);
    else if (value !== undefined) notes.push(`${where}: ignored: ${ignored}`);
  }
  return { config: config as Config<G> & Plugins, notes };
}

/**
 * The plugins that a command line or its config file names: they are loaded before the flags are parsed, since flags
 * accept the names that they register.
 *
 * @throws UserError as `flags` does for words and keys that it does not know.
 */
export function pluginsOf(argv: readonly string[], groups: FlagGroups): readonly string[] {
  const table = flagTable({ ...groups, ...general });
  const { given } = readWords(argv, table);
  const shows = given.get('help') === true || given.get('version') === true;
  const path = shows ? undefined : given.get('config');
  const inFile = typeof path === 'string' ? configFile(path, table).get('plugin') : undefined;
  const value = given.get('plugin') ?? inFile;
  const where = value === inFile ? `${String(path)}: plugin` : '--plugin';
  return (check(table.get('plugin')!, value, where) ?? []) as readonly string[];
}

function readWords(
  argv: readonly string[],
  table: ReadonlyMap<string, Flag>,
): { readonly given: ReadonlyMap<string, unknown>; readonly notes: string[] } {
  const given = new Map<string, unknown>();
  const notes: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] === '-h' ? '--help' : argv[i]!;
    if (!word.startsWith('--'))
      throw new UserError(`${JSON.stringify(word)}: expected a flag such as --help, got a bare word`, {
        word,
      });
    const equals = word.indexOf('=');
    const spelled = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const name = flagName(spelled);
    const positive = table.get(name);
    const negated = name.startsWith('no-') ? table.get(name.slice(3)) : undefined;
    const flag = positive ?? (negated?.schema.type === 'boolean' ? negated : undefined);
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
      if (next === undefined || next.startsWith('--'))
        throw new UserError(`--${spelled}: expected ${expected(flag.schema)}, got nothing`, {
          flag: flag.name,
        });
      value = valueOf(next, flag.schema);
      i++;
    }
    const before = given.get(flag.name);
    if (Array.isArray(before) && Array.isArray(value)) value = [...before, ...value];
    else if (before !== undefined)
      notes.push(`--${flag.name}: given twice; the last one counts, ${JSON.stringify(value)}`);
    given.set(flag.name, value);
  }
  return { given, notes };
}

function check(flag: Flag, value: unknown, where: string): unknown {
  if (value === undefined && flag.required)
    throw new UserError(`--${flag.name}: required; expected ${expected(flag.schema)}`, { flag: flag.name });
  const result = flag.type.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const want = issue.code === 'custom' ? issue.message : `expected ${expected(flag.schema)}`;
  const place = issue.path[0];
  const got: unknown = Array.isArray(value) && typeof place === 'number' ? value[place] : value;
  const choices = (flag.schema.enum ?? flag.schema.items?.enum ?? []).map(String);
  const hint = typeof got === 'string' && !choices.includes(got) ? didYouMean(got, choices) : '';
  throw new UserError(`${where}: ${want}, got ${JSON.stringify(got)}${hint}`, { flag: flag.name, got });
}
