import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { packageVersion } from '../base/package.js';
import { type Config, type FlagGroups, flagTable } from './flag.js';
import { helpText } from './help.js';
import { ABOUT_READING, readRawValues, valueFor } from './raw-values.js';

/** The result of a command line: a config to run with, and notes for the user; or a text to show. */
export type CommandLine<G extends FlagGroups> =
  | { readonly config: Config<G> & Plugins; readonly notes: readonly string[] }
  | { readonly show: string };

/** The user's own modules that a command line names. */
export interface Plugins {
  readonly plugin?: readonly string[];
}

/** The flags that every recipe has. */
export const general = {
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
 * The command line wins over `--config file.yaml`, that over what another flag gives (see `Defaults`), and that over the
 * defaults; of a flag that is given twice the last
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
  const raw = readRawValues(argv, table);
  if (raw.words.get('help') === true)
    return { show: helpText(about.usage ?? `node recipes/${about.name}.js`, about.description, table) };
  if (raw.words.get('version') === true) return { show: `millrace ${packageVersion()}\n` };

  const notes = [...raw.notes];
  const config: Record<string, unknown> = {};
  for (const flag of table.values()) {
    if (ABOUT_READING.includes(flag.name) || flag.schema.transient) continue;
    const { value, where } = raw.of(flag);
    const { ignored } = flag.schema;
    if (flag.name === 'plugin' && value === undefined) continue;
    if (ignored === undefined) config[flag.key] = valueFor(flag, value, where);
    else if (value !== undefined) notes.push(`${where}: ignored: ${ignored}`);
  }
  for (const flag of table.values()) {
    const { value, where } = raw.of(flag);
    // A file may hold all flags, as those do that recipes write.
    const isGiven = raw.words.has(flag.name) || !isDeepStrictEqual(value, flag.schema.default);
    const why = value !== undefined && isGiven ? flag.whyUnread?.(config) : undefined;
    if (why !== undefined) notes.push(`${where}: ignored: ${why}`);
  }
  return { config: config as Config<G> & Plugins, notes };
}
