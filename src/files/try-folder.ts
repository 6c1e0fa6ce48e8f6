import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic.js';
import { makeFolder, removeMade } from './make-folder.js';
import { writeError } from './write-error.js';

/**
 * Checks that a folder is writable, before hours of work depend on it: writes a file there and removes it, along with
 * any folders that this created.
 *
 * @throws UserError naming the folder.
 */
export async function tryFolder(dir: string): Promise<void> {
  const newFolder = makeFolder(dir);
  try {
    const probe = join(dir, `.probe.${process.pid}`);
    await writeFileAtomic(probe, 'can this folder be written?');
    await rm(probe);
  } catch (error) {
    throw writeError(dir, error);
  } finally {
    removeMade(dir, newFolder);
  }
}
