import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../base/errors.js';
import { hubCache } from '../../files/hub-cache.js';
import { isThere, shardsOf, WEIGHT_FILES } from './weight-files.js';

/**
 * The path of a hub id's weights in Hugging Face's cache, with config.json beside it; downloaded if missing.
 *
 * @throws UserError for what is no hub id, and where the hub does not answer: it says what to download.
 */
export async function fromHub(name: string): Promise<string> {
  if (!/^\w[\w.-]*\/[\w.-]+$/.test(name))
    throw new UserError(
      `${name}: expected a folder, a .safetensors file or a hub id such as google/vit-base-patch16-224, got nothing there; see --model-name`,
      { path: name },
    );
  const { cache, repo, snapshot } = await hubCache('models', name);
  for (const file of WEIGHT_FILES) {
    const cached = join(snapshot, file);
    if (await isThere(cached)) return cached;
  }
  try {
    const { downloadFileToCacheDir, modelInfo } = await import('@huggingface/hub');
    // One commit for all files, so that they come to lie side by side.
    const { sha } = await modelInfo({ name, additionalFields: ['sha'] });
    const fetched = (path: string) =>
      downloadFileToCacheDir({ repo: name, path, revision: sha, cacheDir: cache });
    const optional = (error: Error & { readonly statusCode?: number }) => {
      if (error.statusCode === 404 || error.message.startsWith('cannot get path info')) return undefined;
      throw error;
    };
    await fetched('config.json');
    await fetched('preprocessor_config.json').catch(optional);
    for (const file of WEIGHT_FILES) {
      const path = await fetched(file).catch(optional);
      if (path === undefined) continue;
      for (const shard of await shardsOf(path)) await fetched(shard);
      await mkdir(join(repo, 'refs'), { recursive: true });
      await writeFile(join(repo, 'refs', 'main'), sha);
      return path;
    }
    throw new Error(`the repository has no ${WEIGHT_FILES.join(' and no ')}`);
  } catch (cause) {
    throw new UserError(
      `${name}: expected it in the hub's cache ${cache} or the hub to answer, got neither (${(cause as Error).message}); ` +
        `download model.safetensors and config.json from https://huggingface.co/${name} into a folder and give that as --model-name`,
      { model: name },
      { cause },
    );
  }
}
