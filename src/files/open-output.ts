import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { lockFolder } from './folder-lock.js';

/**
 * Opens a folder for a command's output: locked for this process, checked for writing, and without the files that the
 * command will write, unless it may `overwrite` them.
 *
 * @throws UserError naming the first file that is there already, and how to go on.
 */
export function openOutput(
  dir: string,
  names: readonly string[],
  { overwrite }: { readonly overwrite: boolean },
): void {
  lockFolder(dir);
  const there = names.map((name) => join(dir, name)).find((path) => existsSync(path));
  if (there !== undefined && !overwrite)
    throw new UserError(
      `${there}: expected no file of an earlier run, got one; replace it with --overwrite, or give another --output-dir`,
      { path: there },
    );
}
