import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../../base/errors.js';
import type { Normalization } from '../../data/images/normalization.js';
import { readJson } from '../../files/json-file.js';
import { accountForTensors, refuseForeignTensors } from './account-for-tensors.js';
import { classLabels } from './class-labels.js';
import { imageSizeOf, type VitConfig } from './config.js';
import { givenConfig, readConfigFile } from './given-config.js';
import { fromHub } from './hub.js';
import { canonicalNames, isTimm, type NamedWeights } from './names.js';
import { readPreprocessor } from './preprocessor.js';
import { readWeights, weightFile } from './weight-files.js';

/** A pretrained backbone as stored on disk. */
export interface Pretrained {
  readonly path: string;
  readonly config: VitConfig;
  /** The weights by the names of the file. */
  readonly weights: NamedWeights;
  /** The model's input normalization, if its folder states one. */
  readonly normalization?: Normalization;
  /** The names of the classes of its own classifier, where its config.json states them. */
  readonly labels?: readonly string[];
}

/**
 * Finds and reads a pretrained ViT: a folder with model.safetensors or its shards (and config.json), a .safetensors
 * file, or a hub id such as `google/vit-base-patch16-224`, from Hugging Face's cache or, where it is not there,
 * downloaded into it.
 *
 * config.json is that of transformers or of timm; what it says is checked against the tensors, and a tensor that the
 * plain ViT does not have is an error (see `accountForTensors`). Without config.json the number of heads is known of
 * the published sizes alone.
 *
 * @throws UserError when nothing is found, for a hub id it says what to download and where to put it; and for a model
 * that is no plain ViT, saying what sets it apart.
 */
export async function readPretrained(name: string): Promise<Pretrained> {
  const path = await pretrainedFile(name);
  const configPath = join(dirname(path), 'config.json');
  const file = await readConfigFile(configPath);
  const tensors = await readWeights(path);
  const weights = canonicalNames(tensors, path);
  refuseForeignTensors(path, weights);
  const epsilon = isTimm(tensors.keys()) ? 1e-6 : 1e-12;
  const { config, biased, normalization } = givenConfig(file, configPath, weights, path, epsilon);
  if (!biased) addZeroBiases(weights);
  accountForTensors(path, config, weights);
  const statistics = (await statisticsIn(dirname(path), config)) ?? normalization;
  const labels = classLabels(file);
  return {
    path,
    config,
    weights,
    ...(statistics && { normalization: statistics }),
    ...(labels && { labels }),
  };
}

/**
 * The names of the classes of a pretrained ViT's own classifier, where its config.json states them, and its file of
 * weights, which is not read.
 *
 * @throws UserError where nothing is found.
 */
export async function pretrainedLabels(name: string): Promise<Pick<Pretrained, 'path' | 'labels'>> {
  const path = await pretrainedFile(name);
  const labels = classLabels(await readConfigFile(join(dirname(path), 'config.json')));
  return { path, ...(labels && { labels }) };
}

/** The file of weights of a folder, of a file or of a hub id. */
async function pretrainedFile(name: string): Promise<string> {
  const stats = await stat(name).catch(() => undefined);
  if (!stats) return fromHub(name);
  return stats.isDirectory() ? weightFile(name) : name;
}

/** The contents of a folder's preprocessor_config.json; undefined if there is none. */
async function statisticsIn(folder: string, config: VitConfig): Promise<Normalization | undefined> {
  const path = join(folder, 'preprocessor_config.json');
  const file = await readJson(path);
  return (
    file &&
    readPreprocessor(file, imageSizeOf(config), (text) => {
      throw new UserError(`${path}: ${text}`, { path });
    })
  );
}

/** Zero biases for a model without `qkv_bias`, which is the same function. */
function addZeroBiases(weights: NamedWeights): void {
  for (const [name, { shape }] of weights)
    if (/\.(query|key|value)\.weight$/.test(name)) {
      const width = shape[0] ?? 0;
      weights.set(name.replace(/weight$/, 'bias'), {
        dtype: 'F32',
        shape: [width],
        data: new Float32Array(width),
      });
    }
}
