import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../base/errors.js';
import { moduleError } from '../base/module-error.js';
import { packageRoot } from '../base/package.js';

/**
 * A user's own module, by its path from the working directory or the name of a package that is installed there.
 *
 * @throws UserError that begins with `flag`: for a module that is missing, and for one that throws when it is loaded,
 * with the places in the user's files.
 * @example
 * const { default: objective } = await importModule('--objective ./branin.js', './branin.js');
 */
export async function importModule(flag: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  const address = moduleAddress(name);
  if (address === undefined) {
    const got = isPath(name) ? 'no file' : `neither a file nor a package; npm install ${name}`;
    throw new UserError(`${flag}: expected a module, got ${got}`, { path: name });
  }
  try {
    return (await import(address)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw moduleError(flag, 'expected a module that loads, got', error, hintFor(name, error));
  }
}

/** Where a module must lie that finds no package of this one's name. */
function hintFor(name: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const unresolved = code === 'ERR_MODULE_NOT_FOUND' && /'millrace(\/\w+)?'/.test(message);
  if (!unresolved) return '';
  return `; ${name} must lie in a project that has millrace installed (npm install), or below ${packageRoot}`;
}

/** The file URL of a module, for `import`; undefined if there is no such module. */
export function moduleAddress(name: string): string | undefined {
  const file = resolve(name);
  if (existsSync(file)) return pathToFileURL(file).href;
  if (isPath(name)) return undefined;
  try {
    return pathToFileURL(createRequire(resolve('package.json')).resolve(name)).href;
  } catch (error) {
    // A package without an entry for `require` is found from here, too, where it is installed beside this one.
    return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ? name : undefined;
  }
}

function isPath(name: string): boolean {
  return /^[./\\]/.test(name) || /^\.[cm]?[jt]s$/.test(extname(name));
}
