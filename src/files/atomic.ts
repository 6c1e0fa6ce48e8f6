import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive } from './is-alive.js';
import { makeFolder } from './make-folder.js';
import { writeError } from './write-error.js';

/** The name of an unfinished file, with the process that writes it. */
const UNFINISHED = /^\..+?\.(\d+)(?:-\d+)?\.unfinished$/;

let writes = 0;

/**
 * Writes a file so that its name holds either the old bytes or all of the new ones, whenever the process dies: to a
 * temporary name beside it, flushed to disk, then renamed.
 *
 * @param flush Without it the name may hold less after a power failure: for a cache that checks what it reads
 * @throws UserError when there is no room or no right to write; nothing is left behind.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { flush = true }: { readonly flush?: boolean } = {},
): Promise<void> {
  await atomically(path, (temporary) => write(temporary, data, flush), flush);
}

/**
 * Writes a whole folder in the same manner: `files` by name, flat. An existing folder of that name is moved aside just
 * before: a death between the two renames leaves neither, and never a mixture.
 */
export async function writeFolderAtomic(
  path: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  await atomically(path, async (temporary) => {
    await mkdir(temporary);
    for (const [name, data] of Object.entries(files)) await write(join(temporary, name), data, true);
    await flushFolder(temporary);
    await removeFolder(path);
  });
}

/**
 * Removes a folder so that its name is gone at once: if the process dies, no partial folder is left under that name.
 */
export async function removeFolder(path: string): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.removed.${process.pid}.unfinished`);
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw writeError(path, error);
  }
  await rm(aside, { recursive: true, force: true });
}

/**
 * Removes files that killed writers left in a folder, but not those that a live process on this machine is writing.
 *
 * @param ownFiles whether files of this process go too: right before it has written any
 */
export async function removeUnfinished(dir: string, { ownFiles = true } = {}): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    const pid = Number(UNFINISHED.exec(name)?.[1]);
    if (!Number.isNaN(pid) && (pid === process.pid ? ownFiles : !isAlive(pid)))
      await rm(join(dir, name), { recursive: true, force: true });
  }
}

async function atomically(
  path: string,
  make: (temporary: string) => Promise<void>,
  flush = true,
): Promise<void> {
  const dir = dirname(path);
  const temporary = join(dir, `.${basename(path)}.${process.pid}-${++writes}.unfinished`);
  try {
    makeFolder(dir);
    await rm(temporary, { recursive: true, force: true });
    await make(temporary);
    await rename(temporary, path);
    if (flush) await flushFolder(dir);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw writeError(path, error);
  }
}

async function write(path: string, data: string | Uint8Array, flush: boolean): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(data);
    if (flush) await file.sync();
  } finally {
    await file.close();
  }
}

async function flushFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
