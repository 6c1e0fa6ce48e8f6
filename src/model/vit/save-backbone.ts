import { join } from 'node:path';
import { UserError } from '../../base/errors.js';
import type { Size } from '../../data/images/image-size.js';
import { IMAGENET, type Normalization } from '../../data/images/normalization.js';
import { writeFileAtomic } from '../../files/atomic.js';
import { safetensorsBytes } from '../../files/safetensors-format.js';
import type { Parameters } from '../parameters.js';
import { backboneShapes } from './backbone-shapes.js';
import { gridOf, imageSizeOf, leadingPositions, type VitConfig } from './config.js';
import { common, type SavedFamily, type WrittenTensor } from './saved-families.js';
import { savedFamily } from './saved-family.js';
import { type TorchTensors, torchTensors } from './torch-tensors.js';

/** Options of `saveBackbone`. */
export interface SaveBackboneOptions {
  /** The normalization that the model was trained with (`model.normalization`). Default: ImageNet's. */
  readonly normalization?: Normalization;
  /** Texts for the header of model.safetensors. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a backbone into an existing folder in the format of transformers (config.json, preprocessor_config.json and
 * model.safetensors in PyTorch's layouts), for `readPretrained` and for Python. The class is ViTModel, or the one that
 * has what sets the backbone apart: SiglipVisionModel, CLIPVisionModel, Dinov2Model, DINOv3ViTModel, … LayerScale is
 * part of the maps before it, so that what is written of it is 1.
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

/** A ViT, and a classifier on it, as transformers saves them. */
export interface SavedVit {
  readonly config: VitConfig;
  readonly parameters: Parameters;
  readonly normalization: Normalization;
  readonly metadata?: Readonly<Record<string, string>>;
  /** The weight [classes, hidden] and bias of a linear classifier. Default: the ViT alone. */
  readonly classifier?: Readonly<Record<'weight' | 'bias', WrittenTensor>>;
  /** Further fields of config.json. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * Writes a ViT, and a classifier on it, as `saveBackbone` writes the ViT alone.
 *
 * @throws UserError for what transformers has no class for.
 */
export async function saveVit(
  folder: string,
  { config: given, parameters, normalization, metadata = {}, classifier, fields = {} }: SavedVit,
): Promise<void> {
  const config = given.rope_theta ? given : withPositions(given, parameters.get('positions').shape[1]!);
  const family = savedFamily(config);
  const model = classifier ? family.classifier : { architecture: family.encoder, attribute: '' };
  if (!model)
    throw new UserError(
      `expected a classifier that transformers has a class for, got one on a ${family.encoder}; export it as ONNX`,
      { type: family.type },
    );
  const encoder = await encoderTensors(config, parameters, family);
  const prefix = model.attribute && `${model.attribute}.`;
  const tensors: TorchTensors = new Map(
    [...encoder.tensors].map(([name, tensor]) => [prefix + name, tensor]),
  );
  if (classifier) {
    const { weight, bias } = classifier;
    tensors.set('classifier.weight', family.classifier?.wide ? widened(weight) : weight);
    tensors.set('classifier.bias', bias);
  }
  const own = { model_type: family.type, ...common(config), ...family.fields(config), ...encoder.keys };
  const around = classifier ? (family.classifier?.around?.(own) ?? own) : own;
  await writeFileAtomic(
    join(folder, 'config.json'),
    withFloats(json({ architectures: [model.architecture], ...around, ...fields })),
  );
  await writeFileAtomic(
    join(folder, 'preprocessor_config.json'),
    json(preprocessorConfig(imageSizeOf(config), normalization)),
  );
  await writeFileAtomic(join(folder, 'model.safetensors'), safetensorsBytes(tensors, metadata));
}

const json = (value: object) => `${JSON.stringify(value, null, 1)}\n`;

/** transformers refuses 1 where a config has a float: Python writes 1.0. */
function withFloats(text: string): string {
  return text.replace(
    /^ "(?:initializer_factor|layerscale_value|layer_norm_eps|pos_embed_rescale|rope_theta)": \d+(?=,?$)/gm,
    '$&.0',
  );
}

/** The tensors of an encoder by the names of its family, and the keys of config.json that follow from them. */
async function encoderTensors(config: VitConfig, parameters: Parameters, family: SavedFamily) {
  const { names, without, constants, encoder } = family;
  const places = [...backboneShapes(config)].map(([parameter, shape]) => ({
    parameter,
    key: names.reduce((text, [pattern, to]) => text.replace(pattern, to), parameter),
    shape,
  }));
  const optional = places.filter(({ parameter }) => without?.pattern.test(parameter));
  const trained = await firstNonZero(optional, parameters);
  if (trained !== undefined && !without?.key)
    throw new UserError(
      `expected ${trained} to be zero, as ${encoder} of transformers has none, got a trained one; export it as ONNX`,
      { parameter: trained },
    );
  const written = places.filter((place) => trained !== undefined || !optional.includes(place));
  const tensors = await torchTensors(parameters, written);
  for (const [name, { shape, data }] of tensors) {
    // CLIP's table is a matrix, its class token a vector.
    const flat = name.endsWith('.position_embedding.weight') ? 1 : name.endsWith('.class_embedding') ? 2 : 0;
    tensors.set(name, { shape: shape.slice(flat), data });
  }
  for (const [name, tensor] of constants?.(config) ?? []) tensors.set(name, tensor);
  return {
    tensors: packed(tensors),
    keys: trained !== undefined && without?.key ? { [without.key]: true } : {},
  };
}

async function firstNonZero(
  places: readonly { readonly parameter: string }[],
  parameters: Parameters,
): Promise<string | undefined> {
  for (const { parameter } of places) {
    const data = (await parameters.get(parameter).data()) as Float32Array;
    if (data.some((value) => value !== 0)) return parameter;
  }
  return undefined;
}

/** DINOv2's gate and value as one map. */
function packed(tensors: TorchTensors): TorchTensors {
  for (const [name, gate] of tensors) {
    if (!name.includes('.mlp.gate.')) continue;
    const [first, second] = ['fc1', 'fc2'].map((map) => name.replace('.gate.', `.${map}.`)) as [
      string,
      string,
    ];
    const value = tensors.get(first)!;
    const data = new Float32Array(gate.data.length * 2);
    data.set(gate.data);
    data.set(value.data, gate.data.length);
    const shape = [gate.shape[0]! * 2, ...gate.shape.slice(1)];
    tensors.set(name.replace('.gate.', '.weights_in.'), { shape, data });
    tensors.set(name.replace('.gate.', '.weights_out.'), tensors.get(second)!);
    for (const old of [name, first, second]) tensors.delete(old);
  }
  return tensors;
}

/** A classifier's weight for two vectors, of which it reads the first alone. */
function widened({ shape, data }: WrittenTensor): WrittenTensor {
  const [classes, width] = shape as [number, number];
  const wide = new Float32Array(2 * data.length);
  for (let k = 0; k < classes; k++) wide.set(data.subarray(k * width, (k + 1) * width), 2 * k * width);
  return { shape: [classes, 2 * width], data: wide };
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
function withPositions(config: VitConfig, count: number): VitConfig {
  const positions = count - leadingPositions(config);
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
