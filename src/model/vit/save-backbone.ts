import { join } from 'node:path';
import { UserError } from '../../base/errors.js';
import { IMAGENET, type Normalization } from '../../data/images/normalization.js';
import { writeFileAtomic } from '../../files/atomic.js';
import { safetensorsBytes } from '../../files/safetensors-format.js';
import type { Parameters } from '../parameters.js';
import { backboneShapes } from './backbone-shapes.js';
import { gridOf, imageSizeOf, type VitConfig } from './config.js';
import { toTorchLayout } from './layout.js';

/** The names of our tensors in Hugging Face's ViTModel; the inverse of `canonicalNames`. */
const HUGGING_FACE: readonly (readonly [RegExp, string])[] = [
  [/^cls$/, 'embeddings.cls_token'],
  [/^positions$/, 'embeddings.position_embeddings'],
  [/^patch\./, 'embeddings.patch_embeddings.projection.'],
  [/^norm\./, 'layernorm.'],
  [/^layers\./, 'encoder.layer.'],
  [/\.(query|key|value)\./, '.attention.attention.$1.'],
  [/\.output\./, '.attention.output.dense.'],
  [/\.fc1\./, '.intermediate.dense.'],
  [/\.fc2\./, '.output.dense.'],
  [/\.norm1\./, '.layernorm_before.'],
  [/\.norm2\./, '.layernorm_after.'],
];

/** Options of `saveBackbone`. */
export interface SaveBackboneOptions {
  /** The normalization that the model was trained with (`model.normalization`). Default: ImageNet's. */
  readonly normalization?: Normalization;
  /** Texts for the header of model.safetensors. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a backbone into an existing folder in the format of transformers (config.json, preprocessor_config.json and
 * model.safetensors in PyTorch's layouts), for `readPretrained` and for Python.
 *
 * The positions are written as they are. Where `config` is for others, config.json gets the size of square pictures that
 * they are for.
 *
 * @throws UserError where they are neither those of `config` nor a square.
 * @example
 * await saveBackbone('models/vit-pets', model.config, model.parameters, { normalization: model.normalization });
 */
export async function saveBackbone(
  folder: string,
  config: VitConfig,
  parameters: Parameters,
  { normalization = IMAGENET, metadata = {} }: SaveBackboneOptions = {},
): Promise<void> {
  const savedConfig = withPositions(config, parameters.get('positions').shape[1]! - 1);
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, shape] of backboneShapes(savedConfig)) {
    const hf = HUGGING_FACE.reduce((text, [pattern, to]) => text.replace(pattern, to), name);
    const data = (await parameters.get(name).data()) as Float32Array;
    tensors.set(hf, { shape, data: toTorchLayout(data, shape) });
  }
  const json = (value: object) => `${JSON.stringify(value, null, 1)}\n`;
  const preprocessor = {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size: imageSizeOf(savedConfig),
    resample: BILINEAR,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: normalization.mean,
    image_std: normalization.std,
  };
  const file = { architectures: ['ViTModel'], model_type: 'vit', ...savedConfig, qkv_bias: true };
  await writeFileAtomic(join(folder, 'config.json'), json(file));
  await writeFileAtomic(join(folder, 'preprocessor_config.json'), json(preprocessor));
  await writeFileAtomic(join(folder, 'model.safetensors'), safetensorsBytes(tensors, metadata));
}

/** The config that a number of positions is for. */
function withPositions(config: VitConfig, positions: number): VitConfig {
  const { rows, columns } = gridOf(config);
  if (rows * columns === positions) return config;
  const side = Math.sqrt(positions);
  if (Number.isInteger(side)) return { ...config, image_size: side * config.patch_size };
  throw new UserError(
    `image_size: expected that of the ${positions} positions, got one of ${rows} × ${columns}; give the config of the model, model.config`,
    { positions },
  );
}

/** Pillow's number for the filter that resizes images. */
const BILINEAR = 2;
