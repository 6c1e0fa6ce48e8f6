import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import { readSafetensors } from '../../files/safetensors.js';
import { type StoredTensor } from '../../files/safetensors-format.js';
import { readTorchFile } from '../../files/torch-file.js';

const WEIGHTS = 'model.safetensors';
const PICKLE = 'pytorch_model.bin';

/** The names of transformers' weight files, in the order of its search. */
export const WEIGHT_FILES = [WEIGHTS, `${WEIGHTS}.index.json`, PICKLE, `${PICKLE}.index.json`];

const PICKLED = /\.(bin|pth?|ckpt|tar)$/;

/** The first file of a folder's weights: model.safetensors, or the index of its shards. */
export async function weightFile(folder: string): Promise<string> {
  const names = (await readdir(folder)).toSorted();
  const fileName = WEIGHT_FILES.find((name) => names.includes(name));
  if (fileName !== undefined) return join(folder, fileName);
  const others = names.filter((name) => name.endsWith('.safetensors') || PICKLED.test(name));
  throw new UserError(
    `${join(folder, WEIGHTS)}: expected a whole safetensors file, got nothing there; ${
      others.length > 0
        ? `name ${others.map(oneLine).join(' or ')} beside it`
        : 'fetch it, or name another folder'
    }`,
    { path: folder },
  );
}

/**
 * The tensors of a .safetensors file, of a checkpoint of torch.save (.pth, .pt, .bin), or of all shards that an index of
 * transformers names.
 *
 * @throws UserError naming the file that is missing, damaged, a pickle that calls more than tensors, or not what the index says.
 */
export async function readWeights(path: string): Promise<ReadonlyMap<string, StoredTensor>> {
  if (!path.endsWith('.index.json')) return readFileOf(path);
  const tensors = new Map<string, StoredTensor>();
  for (const [file, names] of await readIndex(path)) {
    const shard = await readFileOf(join(dirname(path), file));
    const missing = names.find((name) => !shard.has(name));
    if (missing !== undefined) throw indexError(path, `no ${missing} in ${file}; fetch the shards again`);
    for (const [name, tensor] of shard) {
      if (tensors.has(name)) throw indexError(path, `${name} in two shards`);
      tensors.set(name, tensor);
    }
  }
  return tensors;
}

async function readFileOf(path: string): Promise<ReadonlyMap<string, StoredTensor>> {
  return PICKLED.test(path) ? readTorchFile(path) : (await readSafetensors(path)).tensors;
}

/** The names of the shards that an index names; none where the weights are one file. */
export async function shardsOf(path: string): Promise<string[]> {
  return path.endsWith('.index.json') ? [...(await readIndex(path)).keys()] : [];
}

/** The names of the tensors in each shard. */
async function readIndex(path: string): Promise<Map<string, string[]>> {
  let index: { weight_map?: unknown } | null;
  try {
    index = JSON.parse(await readFile(path, 'utf8')) as typeof index;
  } catch (cause) {
    throw indexError(path, (cause as Error).message, cause);
  }
  const map = index?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw indexError(path, 'no weight_map');
  const files = new Map<string, string[]>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string' || basename(file) !== file || !/\.(safetensors|bin)$/.test(file))
      throw indexError(path, `${name} in ${JSON.stringify(file)}`);
    const names = files.get(file) ?? [];
    names.push(name);
    files.set(file, names);
  }
  return files;
}

function indexError(path: string, got: string, cause?: unknown): UserError {
  return new UserError(
    `${path}: expected an index of shards, {"weight_map": {tensor: file}}, got ${oneLine(got)}`,
    { path },
    { cause },
  );
}

/** Whether a path exists. */
export async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
