import { mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../base/errors.js';
import { writeFileAtomic } from './atomic.js';
import { writeError } from './write-error.js';

/** The file that records who made a folder, from what, and which files belong to it. */
export const MANIFEST = 'manifest.json';

/** The contents of a manifest. */
interface Manifest {
  readonly madeBy: string;
  /** Paths below the folder, sorted, without the manifest. */
  readonly files: readonly string[];
}

/**
 * Makes a folder as a whole or not at all: `write` fills a temporary one beside it, whose name then changes.
 *
 * The folder gets a `manifest.json` with what `write` returns, `madeBy`, and the files that were written. An existing
 * folder is replaced when it is empty or its manifest names the same maker; anything else is refused. Of an existing
 * folder only the files that its manifest lists are deleted: others, which are the user's, stay where they are, and the
 * new files then move in one by one. What a killed run left behind (`.<name>.part`) is removed first.
 *
 * @throws UserError where the folder is foreign, is a file, or cannot be written, where its manifest lists no files, as that
 *   of an earlier version, and where a file of the user's stands in the way of a new one
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
    const manifest = old && old.length > 0 ? await ownManifest(path, madeBy, old[0]!) : undefined;
    await rm(part, { recursive: true, force: true });
    await mkdir(part, { recursive: true });
    const about = await write(part);
    const files = await filesBelow(part);
    await writeManifest(part, { madeBy, ...about, files });
    const foreignFiles = manifest ? await filesBelow(target, [MANIFEST, ...manifest.files]) : [];
    if (foreignFiles.length > 0)
      await replaceWithin(path, { part, files, foreign: foreignFiles, old: manifest! });
    else {
      if (old) await rm(target, { recursive: true });
      await rename(part, target);
    }
  } catch (error) {
    await rm(part, { recursive: true, force: true }).catch(() => {});
    throw writeError(path, error);
  }
}

/**
 * Replaces old files by new ones and leaves foreign ones alone; at any moment the manifest lists the owned files.
 */
async function replaceWithin(
  path: string,
  {
    part,
    files,
    foreign,
    old,
  }: {
    readonly part: string;
    readonly files: readonly string[];
    readonly foreign: readonly string[];
    readonly old: Manifest;
  },
): Promise<void> {
  const target = resolve(path);
  const ownFiles = new Set(files);
  const clash = foreign.find(
    (file) => ownFiles.has(file) || files.some((mine) => inside(mine, file) || inside(file, mine)),
  );
  if (clash !== undefined)
    throw new UserError(
      `${join(path, clash)}: expected no file of that name, since ${old.madeBy} did not write it and now would; move it, or give another folder`,
      { path: join(path, clash) },
    );
  await writeManifest(target, { ...old, files: [...new Set([...old.files, ...files])].toSorted() });
  for (const file of old.files) await rm(join(target, file), { force: true });
  const folders = new Set(old.files.flatMap(parents));
  // The deepest first; one that holds a file of the user's is not empty and stays.
  for (const folder of [...folders].toSorted((a, b) => b.length - a.length))
    await rmdir(join(target, folder)).catch(() => {});
  for (const file of [...files, MANIFEST]) {
    await mkdir(dirname(join(target, file)), { recursive: true });
    await rename(join(part, file), join(target, file));
  }
  await rm(part, { recursive: true, force: true });
}

async function contents(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The files below a folder, sorted, links included, except the given ones. */
async function filesBelow(folder: string, exceptions: readonly string[] = []): Promise<string[]> {
  const skip = new Set(exceptions);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((file) => !skip.has(file))
    .toSorted();
}

async function ownManifest(path: string, madeBy: string, first: string): Promise<Manifest> {
  const manifest = await readFile(join(path, MANIFEST), 'utf8')
    .then((text) => JSON.parse(text) as Partial<Manifest>)
    .catch(() => undefined);
  if (manifest?.madeBy !== madeBy)
    throw new UserError(
      `${path}: expected an empty folder or one made by ${madeBy}, got a folder with ${first} in it; give another`,
      { path },
    );
  const { files } = manifest;
  if (Array.isArray(files) && files.every((file) => typeof file === 'string' && isBelow(file)))
    return { ...manifest, madeBy, files };
  throw new UserError(
    `${join(path, MANIFEST)}: expected the list of files that ${madeBy} wrote, got none, since an earlier version wrote it; remove the folder yourself, or choose another`,
    { path },
  );
}

async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFileAtomic(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
}

/** Whether a path stays below the folder it is joined to. */
function isBelow(file: string): boolean {
  return file !== '' && !isAbsolute(file) && !file.split(/[\\/]/).includes('..');
}

function inside(file: string, folder: string): boolean {
  return file.startsWith(`${folder}${sep}`);
}

/** The folders above a file, below the root. */
function parents(file: string): string[] {
  const parts = file.split(sep).slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join(sep));
}
