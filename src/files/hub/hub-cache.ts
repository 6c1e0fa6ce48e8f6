import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hubSettings } from './hub-settings.js';

/** Where Hugging Face's cache keeps a repository. */
export interface HubCache {
  /** The folder of all repositories: HF_HUB_CACHE, or `hub` in HF_HOME. */
  readonly cache: string;
  readonly repo: string;
  /** The files of its main branch, if they are there. */
  readonly snapshot: string;
}

/** Where Hugging Face's cache keeps a repository of a name such as `owner/pets`; nothing is asked of the network. */
export async function hubCache(kind: 'models' | 'datasets', name: string): Promise<HubCache> {
  const { cache } = await hubSettings();
  const repo = join(cache, `${kind}--${name.replace('/', '--')}`);
  // The hub client asks the network what `main` is; the cache says it without.
  const revision = (await readFile(join(repo, 'refs', 'main'), 'utf8').catch(() => '')).trim();
  return { cache, repo, snapshot: join(repo, 'snapshots', revision || 'main') };
}
