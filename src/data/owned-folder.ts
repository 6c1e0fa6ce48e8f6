import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { writeError } from '../files/atomic.js';

/** The file that says who made a folder, and from what. */
export const MANIFEST = 'manifest.json';

/**
 * Makes a folder as a whole or not at all: `write` fills a temporary one beside it, whose name then changes.
 *
 * The folder gets a `manifest.json` with what `write` returns and `madeBy`. An existing folder is replaced when it is
 * empty or its manifest names the same maker; anything else is refused, so that no one's files are ever deleted.
 * What a killed run left behind (`.<name>.part`) is removed first.
 *
 * @throws UserError where the folder is foreign, is a file, or cannot be written
 */
export async function ownedFolder(
  path: string,
  madeBy: string,
  write: (folder: string) => Promise<Readonly<Record<string, unknown>>>,
): Promise<void> {
  const target = resolve(path);
  const part = join(dirname(target), `.${basename(target)}.part`);
  try {
    const old = await contents(target);
    if (old && old.length > 0 && (await maker(target)) !== madeBy)
      throw new UserError(
        `${path}: expected an empty folder or one made by ${madeBy}, got a folder with ${old[0]} in it; give another`,
        { path },
      );
    await rm(part, { recursive: true, force: true });
    await mkdir(part, { recursive: true });
    const manifest = { madeBy, ...(await write(part)) };
    await writeFile(join(part, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
    if (old) await rm(target, { recursive: true });
    await rename(part, target);
  } catch (error) {
    await rm(part, { recursive: true, force: true }).catch(() => {});
    throw writeError(path, error);
  }
}

async function contents(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function maker(folder: string): Promise<unknown> {
  try {
    return (JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as { madeBy?: unknown }).madeBy;
  } catch {
    return undefined;
  }
}
