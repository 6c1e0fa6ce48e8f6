import { join } from 'node:path';
import { UserError } from '../../base/errors.js';
import { isAddress } from '../../files/http.js';
import { hubCache } from '../../files/hub/hub-cache.js';
import { expandBraces } from '../shards/expand-braces.js';

/** How a data set of the hub is named: `hf://datasets/owner/name/data/train-*.parquet`. */
const HUB = /^hf:\/\/datasets\/([^/]+\/[^/]+)\/(.+)$/;

/**
 * The files that patterns stand for: braces are written out, those of a pattern with stars are sorted, and data sets of the hub
 * are looked for in its local cache.
 *
 * @throws UserError for a pattern of no file, a data set that is not in the cache, and a file that is named twice
 */
export async function parquetPaths(pattern: string | readonly string[]): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const one of [pattern].flat().flatMap(expandBraces)) paths.push(...(await filesOf(one)));
  const twin = paths.find((path, i) => paths.indexOf(path) < i);
  if (twin === undefined) return paths;
  throw new UserError(`${twin}: expected each file once, got it twice`, { path: twin });
}

async function filesOf(pattern: string): Promise<readonly string[]> {
  if (isAddress(pattern)) return [pattern];
  if (!pattern.startsWith('hf://'))
    return /[*?[\]]/.test(pattern) ? found(pattern, '.', 'see --parquet') : [pattern];
  const [, name, inside] = HUB.exec(pattern) ?? [];
  if (name === undefined)
    throw new UserError(`${pattern}: expected hf://datasets/owner/name/file.parquet; see --parquet`);
  const { snapshot } = await hubCache('datasets', name);
  const fix = `download it with hf download --repo-type dataset ${name}, or name https://huggingface.co/datasets/${name}/resolve/main/…`;
  return found(inside!, snapshot, fix);
}

async function found(pattern: string, folder: string, fix: string): Promise<string[]> {
  const { default: fastGlob } = await import('fast-glob');
  const files = await fastGlob(pattern, { cwd: folder });
  if (files.length > 0) return files.toSorted().map((file) => (folder === '.' ? file : join(folder, file)));
  throw new UserError(
    `${folder === '.' ? pattern : join(folder, pattern)}: expected Parquet files, got nothing of this name; ${fix}`,
    { path: pattern },
  );
}
