import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { writeError } from './write-error.js';

/**
 * Creates a folder and its missing parents; returns the outermost one that it created, or undefined.
 *
 * Node's own `mkdir` with `recursive` calls a read-only drive ENOENT, and never ends below `/proc`.
 *
 * @throws UserError naming the folder, and truly why it cannot be made.
 */
export function makeFolder(dir: string): string | undefined {
  try {
    const missing: string[] = [];
    for (let path = resolve(dir); !statSync(path, { throwIfNoEntry: false }); path = dirname(path))
      missing.unshift(path);
    for (const path of missing) makeOne(path);
    if (!statSync(dir).isDirectory()) throw Object.assign(new Error('a file'), { code: 'EEXIST' });
    return missing[0];
  } catch (error) {
    throw writeError(dir, error);
  }
}

/**
 * Removes the folders that `makeFolder` created, from the innermost to `outermost`, as long as they are empty.
 */
export function removeMade(dir: string, outermost: string | undefined): void {
  if (outermost === undefined) return;
  try {
    for (let path = resolve(dir); path.startsWith(outermost); path = dirname(path)) rmdirSync(path);
  } catch {
    // Something is in it.
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it in between.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
