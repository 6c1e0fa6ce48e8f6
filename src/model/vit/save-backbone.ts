import { join } from 'node:path';
import { UserError } from '../../base/errors.js';
import type { Size } from '../../data/images/image-size.js';
import { IMAGENET, type Normalization } from '../../data/images/normalization.js';
import { writeFileAtomic } from '../../files/atomic.js';
import { safetensorsBytes } from '../../files/safetensors-format.js';
import type { Parameters } from '../parameters.js';
import { backboneShapes } from './backbone-shapes.js';
import { gridOf, imageSizeOf, type VitConfig } from './config.js';
import { type TorchTensors, torchTensors } from './torch-tensors.js';

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
  await saveVit(folder, { config, parameters, normalization, metadata });
}

/** A model around a ViT, as transformers saves it. */
export interface SavedVit {
  readonly config: VitConfig;
  readonly parameters: Parameters;
  readonly normalization: Normalization;
  readonly metadata?: Readonly<Record<string, string>>;
  /** The class of transformers. Default ViTModel. */
  readonly architecture?: string;
  /** The attribute of that class that holds the ViT. Default: the ViT itself. */
  readonly attribute?: string;
  /** Tensors beside the ViT's, by name. */
  readonly tensors?: TorchTensors;
  /** Further fields of config.json. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Writes a model around a ViT as `saveBackbone` writes the ViT alone. */
export async function saveVit(
  folder: string,
  {
    config,
    parameters,
    normalization,
    metadata = {},
    architecture = 'ViTModel',
    attribute,
    tensors: others = new Map(),
    fields = {},
  }: SavedVit,
): Promise<void> {
  if (config.num_register_tokens)
    throw new UserError(
      `expected a ViT without registers, got one with ${config.num_register_tokens}, which ViTModel of transformers lacks; export it as ONNX`,
      { registers: config.num_register_tokens },
    );
  // Folded weights are those of a plain ViT.
  const { folded_layer_scale: _, num_register_tokens: __, ...plain } = config;
  const savedConfig = withPositions(plain, parameters.get('positions').shape[1]! - 1);
  const places = [...backboneShapes(savedConfig)].map(([parameter, shape]) => {
    const key = HUGGING_FACE.reduce((text, [pattern, to]) => text.replace(pattern, to), parameter);
    return { parameter, key: attribute ? `${attribute}.${key}` : key, shape };
  });
  const tensors = new Map([...(await torchTensors(parameters, places)), ...others]);
  const json = (value: object) => `${JSON.stringify(value, null, 1)}\n`;
  const file = {
    architectures: [architecture],
    model_type: 'vit',
    ...savedConfig,
    qkv_bias: true,
    ...fields,
  };
  await writeFileAtomic(join(folder, 'config.json'), json(file));
  await writeFileAtomic(
    join(folder, 'preprocessor_config.json'),
    json(preprocessorConfig(imageSizeOf(savedConfig), normalization)),
  );
  await writeFileAtomic(join(folder, 'model.safetensors'), safetensorsBytes(tensors, metadata));
}

/** The contents of preprocessor_config.json for pictures of this size. */
export function preprocessorConfig(size: Size, { mean, std }: Normalization): Record<string, unknown> {
  return {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size,
    resample: BILINEAR,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
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
