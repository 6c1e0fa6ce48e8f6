import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Document } from 'yaml';
import { didYouMean } from '../base/did-you-mean.js';
import { UserError } from '../base/errors.js';
import { oneLine } from '../base/printable.js';
import { type Flag, type FlagSchema, flagName, valueOf } from './flag.js';

/** The yaml library, loaded synchronously at its first use. */
const yaml = () => createRequire(import.meta.url)('yaml') as typeof import('yaml');

/**
 * The settings of a YAML (or JSON) file by flag name. Its keys are flags, spelled with `-`, `_` or in camelCase. Keys that
 * are not in the table are errors where it knows `all` flags.
 *
 * @param by the flag that names the file, for messages
 * @throws UserError where the file cannot be read, is not YAML, or holds an unknown or repeated key: it names both.
 */
export function configFile(
  path: string,
  table: ReadonlyMap<string, Flag>,
  known: 'all' | 'some' = 'all',
  by = '--config',
): Map<string, unknown> {
  const document = yaml().parseDocument(read(path, by), { prettyErrors: true, logLevel: 'error' });
  const broken = document.errors[0];
  if (broken) {
    const line = broken.linePos?.[0].line ?? 1;
    const reason = broken.message.split(/ at line |\n/)[0];
    throw new UserError(`${path}:${line}: expected YAML, got a syntax error (${oneLine(reason ?? '')})`, {
      path,
      line,
    });
  }
  const settings = valuesOf(document, path) ?? {};
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw new UserError(`${path}: expected a table of "flag: value" lines, got something else`, { path });
  const fields = new Map<string, unknown>();
  for (const [key, value] of Object.entries(settings)) {
    const name = flagName(key);
    if (!table.has(name) && known === 'some') continue;
    if (!table.has(name)) {
      const names = [...table.values()].map((flag) => flag.key);
      throw new UserError(`${path}: ${oneLine(key)}: unknown key${didYouMean(key, names)}`, { path, key });
    }
    if (fields.has(name))
      throw new UserError(`${path}: ${oneLine(key)}: given twice; keep one`, { path, key });
    fields.set(name, listed(value, table.get(name)!.schema));
  }
  return fields;
}

/** One value where a list is expected is read as on the command line: `a,b`. */
function listed(value: unknown, schema: FlagSchema): unknown {
  if (schema.type !== 'array') return value;
  if (typeof value === 'string') return valueOf(value, schema);
  return typeof value === 'number' ? [value] : value;
}

/**
 * Expands aliases. @throws UserError for an alias without its anchor, and for aliases that expand beyond measure.
 */
function valuesOf(document: Document.Parsed, path: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(
      `${path}: expected YAML, got text that cannot be parsed (${oneLine(reason)})`,
      { path },
      { cause },
    );
  }
}

function read(path: string, by: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const got =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(code);
    throw new UserError(`${by} ${path}: expected a YAML file, but ${got}`, { path }, { cause: error });
  }
}
