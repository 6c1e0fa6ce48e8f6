import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { downloadFileToCacheDir } from '@huggingface/hub';
import { UserError } from '../errors.js';
import { readSafetensors } from '../files/safetensors.js';
import { type VitConfig, vitConfig } from './config.js';
import { canonicalNames, type NamedWeights } from './names.js';

/** A pretrained backbone as it lies on disk. */
export interface Pretrained {
  readonly path: string;
  readonly config: VitConfig;
  readonly weights: NamedWeights;
  /** What the model expects of its input, where its folder says so. */
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/**
 * Finds and reads a pretrained ViT: a folder with model.safetensors (and config.json), a .safetensors file, or a
 * hub id such as `google/vit-base-patch16-224`, from Hugging Face's cache or, where it is not there, downloaded into it.
 *
 * @throws UserError when nothing is found; for a hub id it says what to download and where to put it.
 */
export async function readPretrained(name: string): Promise<Pretrained> {
  const found = await stat(name).catch(() => undefined);
  const path = found ? (found.isDirectory() ? join(name, 'model.safetensors') : name) : await fromHub(name);
  const folder = dirname(path);
  const { tensors } = await readSafetensors(path);
  const weights = canonicalNames(tensors);
  const configFile = await readJson(join(folder, 'config.json'));
  const config = vitConfig.safeParse(configFile ?? guessConfig(weights, path, tensors.has('cls_token')));
  if (!config.success) {
    const issue = config.error.issues[0]!;
    throw new UserError(`${join(folder, 'config.json')}: ${issue.path.join('.')}: ${issue.message}`, {
      path: folder,
    });
  }
  const preprocessor = (await readJson(join(folder, 'preprocessor_config.json'))) as
    | { image_mean?: number[]; image_std?: number[] }
    | undefined;
  const { image_mean: mean, image_std: std } = preprocessor ?? {};
  return { path, config: config.data, weights, ...(mean && std && { normalization: { mean, std } }) };
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${path}: expected JSON, got ${(cause as Error).message}`, { path }, { cause });
  }
}

/** The shape of a ViT without config.json, read off its tensors; heads of 64 as all published ViTs have. */
function guessConfig(weights: NamedWeights, path: string, timm: boolean): Partial<VitConfig> {
  const shape = (name: string) => {
    const tensor = weights.get(name);
    if (!tensor)
      throw new UserError(
        `${path}: expected a ViT, got a file without ${name} (and no config.json beside it)`,
        { path },
      );
    return tensor.shape;
  };
  const [hidden, , patch] = shape('patch.weight') as [number, number, number];
  const side = Math.sqrt(shape('positions')[1]! - 1);
  return {
    hidden_size: hidden,
    num_hidden_layers: [...weights.keys()].filter((name) => /^layers\.\d+\.norm1\.weight$/.test(name)).length,
    num_attention_heads: Math.max(1, hidden / 64),
    intermediate_size: shape('layers.0.fc1.weight')[0]!,
    layer_norm_eps: timm ? 1e-6 : 1e-12,
    image_size: side * patch,
    patch_size: patch,
  };
}

async function fromHub(name: string): Promise<string> {
  if (!/^\w[\w.-]*\/[\w.-]+$/.test(name))
    throw new UserError(
      `${name}: expected a folder, a .safetensors file or a hub id such as google/vit-base-patch16-224, got nothing there; see --model-name`,
      { path: name },
    );
  const hub = process.env['HF_HOME'] ?? join(homedir(), '.cache', 'huggingface');
  const cache = process.env['HF_HUB_CACHE'] ?? join(hub, 'hub');
  const repo = join(cache, `models--${name.replace('/', '--')}`);
  // The hub client asks the network what `main` is; the cache says it without.
  const revision = (await readFile(join(repo, 'refs', 'main'), 'utf8').catch(() => '')).trim();
  const cached = join(repo, 'snapshots', revision || 'main', 'model.safetensors');
  if (await stat(cached).catch(() => undefined)) return cached;
  try {
    const [weights] = await Promise.all(
      ['model.safetensors', 'config.json', 'preprocessor_config.json'].map((path) =>
        downloadFileToCacheDir({ repo: name, path, cacheDir: cache }).catch((error: unknown) => {
          if (path === 'preprocessor_config.json') return '';
          throw error;
        }),
      ),
    );
    return weights!;
  } catch (cause) {
    throw new UserError(
      `${name}: expected it in the hub's cache ${cache} or the hub to answer, got neither (${(cause as Error).message}); ` +
        `download model.safetensors and config.json from https://huggingface.co/${name} into a folder and give that as --model-name`,
      { model: name },
      { cause },
    );
  }
}
