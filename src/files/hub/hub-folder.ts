import { copyFile, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import { say } from '../../base/say.js';
import { writeFileAtomic } from '../atomic.js';
import { download } from '../download.js';
import { percentLines, retryLines } from '../download-progress.js';
import { lockInTurn } from '../folder-lock.js';
import { hubError, isUnreachable } from './hub-error.js';
import { type HubSettings, hubSettings } from './hub-settings.js';

/** The files of a repository that are asked for. */
export interface WantedFiles {
  readonly all: readonly string[];
  /** Those that are fetched where they are there. */
  readonly optional?: readonly string[];
  /** Files of which the first that is there is fetched. */
  readonly oneOf?: readonly string[];
  /** Further files that this one names. */
  more?(path: string): Promise<readonly string[]>;
}

/** Whether a text has the form of a hub id, `owner/name`. */
export function isHubId(name: string): boolean {
  return /^\w[\w.-]*\/[\w.-]+$/.test(name) && !/\.\.|[-.]$/.test(name);
}

/**
 * The folder of a repository's files in the cache of the Hugging Face hub, which Python's huggingface_hub shares;
 * what is not there is downloaded, by `HF_ENDPOINT`, `HF_TOKEN`, `HF_HOME` and `HF_HUB_OFFLINE` (see `hubSettings`).
 *
 * A file appears there only when it is whole and has the checksum that the hub states; a broken download goes on where it
 * ended. What is in the cache is taken as it is, without a request.
 *
 * @throws UserError that says what to do: for a name that the hub has not, a right that is missing, a wrong checksum, no network.
 */
export async function hubFolder(name: string, wanted: WantedFiles): Promise<string> {
  const settings = await hubSettings();
  const repo = join(settings.cache, `models--${name.replace('/', '--')}`);
  const cached = await inCache(repo, wanted);
  if (cached?.unknown.length === 0) return cached.folder;
  const withoutThem = () => {
    say(`${name}: not in the cache ${settings.cache}: ${cached!.unknown.join(', ')}; going on without`);
    return cached!.folder;
  };
  if (settings.offline) {
    if (cached) return withoutThem();
    throw new UserError(
      `${name}: expected it in the hub's cache ${settings.cache}, since HF_HUB_OFFLINE is set, got nothing there; unset it to download, or name a folder`,
      { model: name },
    );
  }
  try {
    return await fetchFiles(name, repo, wanted, settings, cached?.commit);
  } catch (error) {
    if (cached && isUnreachable(error)) return withoutThem();
    throw hubError(name, settings, error);
  }
}

interface Cached {
  readonly folder: string;
  readonly commit: string;
  /** The optional files of which the cache does not know whether there are any. */
  readonly unknown: readonly string[];
}

/** The snapshot of `main`, if it has all that must be. */
async function inCache(
  repo: string,
  { all, optional = [], oneOf = [], more }: WantedFiles,
): Promise<Cached | undefined> {
  const commit = (await readFile(join(repo, 'refs', 'main'), 'utf8').catch(() => '')).trim();
  if (!COMMIT.test(commit)) return undefined;
  const folder = join(repo, 'snapshots', commit);
  const found = new Set(await readdir(folder).catch(() => []));
  const first = oneOf.find((file) => found.has(file));
  if (all.some((file) => !found.has(file)) || (oneOf.length > 0 && !first)) return undefined;
  const whole = [...all, ...(first ? [first, ...((await more?.(join(folder, first))) ?? [])] : [])];
  // A link to a blob that is gone is no file.
  for (const file of whole) if (!(await isThere(join(folder, file)))) return undefined;
  const absent = await readdir(join(repo, '.no_exist', commit)).catch((): string[] => []);
  return { folder, commit, unknown: optional.filter((file) => !found.has(file) && !absent.includes(file)) };
}

async function fetchFiles(
  name: string,
  repo: string,
  { all, optional = [], oneOf = [], more }: WantedFiles,
  settings: HubSettings,
  revision: string | undefined,
): Promise<string> {
  const { modelInfo, pathsInfo } = await import('@huggingface/hub');
  const { endpoint, token, cache } = settings;
  const access = { hubUrl: endpoint, ...(token !== undefined && { accessToken: token }) };
  // One commit for all files, so that they come to lie side by side.
  const commit =
    revision ?? (await modelInfo({ name, revision: 'main', additionalFields: ['sha'], ...access })).sha;
  if (!COMMIT.test(commit)) throw new Error(`${endpoint} says that main is ${oneLine(`${commit}`)}`);
  const listed = async (paths: readonly string[]) => {
    const infos = await pathsInfo({
      repo: { type: 'model', name },
      paths: [...paths],
      revision: commit,
      ...access,
    });
    return new Map(infos.filter(({ type }) => type === 'file').map((info) => [info.path, info]));
  };
  const there = await listed([...all, ...optional, ...oneOf]);
  const first = oneOf.find((file) => there.has(file));
  const missing = all.find((file) => !there.has(file));
  if (missing !== undefined || (oneOf.length > 0 && !first))
    throw new UserError(`expected ${missing ?? oneOf.join(' or ')} in ${endpoint}/${name}, got none`);
  const folder = join(repo, 'snapshots', commit);
  const fetched = (path: string, info: HubFile | undefined) =>
    info === undefined
      ? Promise.reject(new UserError(`expected ${path} in ${endpoint}/${name}, got none`))
      : fetchFile(join(repo, 'blobs'), join(folder, path), info, {
          url: `${endpoint}/${name}/resolve/${commit}/${path}`,
          title: `${name}/${path}`,
          token,
        });
  const release = await lockInTurn(
    join(cache, '.locks', `models--${name.replace('/', '--')}`),
    'which downloads the same model',
  );
  try {
    for (const file of [...all, ...optional, ...(first ? [first] : [])])
      if (there.has(file)) await fetched(file, there.get(file));
      else await note(join(repo, '.no_exist', commit, file), '');
    const further = first ? ((await more?.(join(folder, first))) ?? []) : [];
    const infos = further.length > 0 ? await listed(further) : there;
    for (const file of further) await fetched(file, infos.get(file));
    if (revision === undefined) await note(join(repo, 'refs', 'main'), commit);
  } finally {
    release();
  }
  return folder;
}

const COMMIT = /^[0-9a-f]{40}$/;

interface HubFile {
  readonly oid?: string;
  readonly lfs?: { readonly oid: string };
}

/** Fetches a blob, named after its checksum, and links the snapshot's file to it. */
async function fetchFile(
  blobs: string,
  path: string,
  { oid = '', lfs }: HubFile,
  { url, title, token }: { readonly url: string; readonly title: string; readonly token: string | undefined },
): Promise<void> {
  if (await isThere(path)) return;
  const digest = lfs?.oid ?? oid;
  if (!(lfs ? /^[0-9a-f]{64}$/ : COMMIT).test(digest))
    throw new Error(`the checksum of ${title} is ${oneLine(digest)}`);
  const blob = join(blobs, digest);
  await download(url, blob, {
    checksum: `${lfs ? 'sha256' : 'git'}:${digest}`,
    ...(lfs && { progress: percentLines(title) }),
    retry: retryLines(title),
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  });
  await mkdir(dirname(path), { recursive: true });
  // Where links are not allowed, as on Windows, the file is there twice, as Python's client has it.
  await symlink(relative(dirname(path), blob), path).catch(() => copyFile(blob, path));
}

async function note(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, text);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
