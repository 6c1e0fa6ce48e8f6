import { UserError } from '../../base/errors.js';
import type { Normalization } from '../../data/images/normalization.js';
import type { Json } from '../../files/json-file.js';
import type { StoredTensor } from '../../files/safetensors-format.js';
import { accountForTensors, leftOut, refuseForeignTensors } from './account-for-tensors.js';
import { classLabels } from './class-labels.js';
import { imageSizeOf, type VitConfig } from './config.js';
import { foldTensors } from './fold-tensors.js';
import { givenConfig, isOf } from './given-config.js';
import { takesAnySize } from './model-types.js';
import { canonicalNames, isTimm, type NamedWeights } from './names.js';
import { readPreprocessor } from './preprocessor.js';

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
  /** Parts of the files that are not read, in words. */
  readonly leftOut?: readonly string[];
}

/** The contents of a pretrained ViT's files, each with the path that errors name. */
export interface PretrainedFiles {
  /** The file of the tensors. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly config: { readonly path: string; readonly json: Json | undefined };
  readonly preprocessor: { readonly path: string; readonly json: Json | undefined };
}

/** The backbone that files hold; see `readPretrained`. */
export function pretrainedOf({ path, tensors, config: file, preprocessor }: PretrainedFiles): Pretrained {
  const weights = canonicalNames(tensors, path);
  const folded = foldTensors(weights);
  refuseForeignTensors(path, weights);
  const epsilon = isTimm(tensors.keys()) ? 1e-6 : 1e-12;
  const given = givenConfig(file.json, file.path, weights, path, epsilon);
  const { unbiased, normalization } = given;
  const registers = weights.get('registers')?.shape[1];
  // DINOv3 without registers has a tensor of none.
  if (registers === 0) weights.delete('registers');
  const config = {
    ...given.config,
    ...(registers && { num_register_tokens: registers }),
    ...(folded && { folded_layer_scale: true }),
  };
  addZeroBiases(weights, unbiased);
  accountForTensors(path, config, weights);
  const statistics = statisticsOf(preprocessor, config, file.json) ?? normalization;
  const labels = classLabels(file.json);
  return {
    path,
    config,
    weights,
    leftOut: leftOut(weights),
    ...(statistics && { normalization: statistics }),
    ...(labels && { labels }),
  };
}

/** What a preprocessor_config.json says; undefined if there is none. */
function statisticsOf(
  { path, json }: PretrainedFiles['preprocessor'],
  config: VitConfig,
  about: Json | undefined,
): Normalization | undefined {
  // DINOv2's positions are for 518 pixels, and its pictures are made smaller on purpose.
  const anySize = takesAnySize(about);
  return (
    json &&
    readPreprocessor(
      anySize ? { ...json, do_center_crop: false, do_resize: false } : json,
      imageSizeOf(config),
      config.num_channels,
      (text) => {
        throw new UserError(`${path}: ${text}`, { path });
      },
    )
  );
}

/** Zero biases for maps that have none, which is the same function. */
function addZeroBiases(weights: NamedWeights, maps: readonly string[]): void {
  for (const [name, { shape }] of weights)
    if (maps.some((map) => isOf(map, 'weight', name))) {
      const width = shape[0] ?? 0;
      const data = new Float32Array(width);
      weights.set(name.replace(/weight$/, 'bias'), { dtype: 'F32', shape: [width], data });
    }
}
