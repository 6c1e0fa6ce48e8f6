import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic.js';
import { makeFolder, removeMade } from './make-folder.js';
import { writeError } from './write-error.js';

/**
 * Proves that a folder can be written, before hours of work depend on it: a file is written there and removed, and so
 * are the folders that were not there before.
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
