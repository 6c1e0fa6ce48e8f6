import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import type { Normalization } from '../../data/images/normalization.js';
import type { Json } from '../../files/json-file.js';
import { type VitConfig, vitConfig } from './config.js';
import { foreignModel, isDinov2 } from './model-types.js';
import type { NamedWeights } from './names.js';
import { type Sizes, sizesOf } from './sizes.js';
import { readTimmConfig } from './timm-config.js';

/** The contents of a model's config.json. */
export interface GivenConfig {
  readonly config: VitConfig;
  /** Whether query, key and value have biases. */
  readonly biased: boolean;
  readonly normalization?: Normalization;
}

/** Refuses the config.json of a model that is no plain ViT, before its weights are read. */
export function refuseForeignConfig(file: Json | undefined, path: string): void {
  const type = file?.['model_type'];
  const foreign = file && !(isTimms(file) && type === 'timm_wrapper') ? foreignModel(type) : undefined;
  if (foreign) throw new UserError(`${path}: ${oneLine(foreign)}`, { path });
}

/**
 * The config of a checkpoint: as transformers writes it, or what timm's says (or, of published sizes, nobody) completed
 * by the tensors.
 *
 * @throws UserError naming `path` or `weightsPath`, where the file says too little or what cannot be.
 */
export function givenConfig(
  file: Json | undefined,
  path: string,
  weights: NamedWeights,
  weightsPath: string,
  epsilon: number,
): GivenConfig {
  const fail = (at: string, text: string): never => {
    throw new UserError(`${at}: ${oneLine(text)}`, { path: at });
  };
  const parse = (config: unknown) => {
    const parsed = vitConfig.safeParse(config);
    const issue = parsed.error?.issues[0];
    return parsed.success
      ? parsed.data
      : fail(file ? path : weightsPath, `${issue!.path.join('.')}: ${issue!.message}`);
  };
  const biases = [...weights.keys()].filter((name) => /\.(query|key|value)\.bias$/.test(name)).length;
  if (file && !isTimms(file)) {
    if (file['model_type'] === undefined && file['num_attention_heads'] === undefined)
      fail(path, 'expected a ViT of transformers (model_type) or timm (architecture), got neither');
    const biased = file['qkv_bias'] !== false;
    if (!biased && biases > 0)
      fail(path, `qkv_bias: expected true for the ${biases} of ${weightsPath}, got false`);
    return { config: parse(withInnerWidth(file)), biased };
  }
  const biased = biases > 0;
  const sizes = sizesOf(weights, (name) =>
    fail(weightsPath, `expected ${name} of a ViT, got no such tensor`),
  );
  if (!Number.isInteger(sizes.side))
    fail(
      weightsPath,
      `expected positions of a class token and a square of patches, got ${sizes.side ** 2 + 1}`,
    );
  if (file) {
    const { heads, normalization } = readTimmConfig(file, sizes, (text) => fail(path, text));
    return {
      config: parse(fromSizes(sizes, heads, epsilon)),
      biased,
      ...(normalization && { normalization }),
    };
  }
  const heads = PUBLISHED[`${sizes.hidden} ${sizes.blocks} ${sizes.wide}`];
  if (heads !== undefined) return { config: parse(fromSizes(sizes, heads, epsilon)), biased };
  const expectedSizes = {
    model_type: 'vit',
    ...fromSizes(sizes, '…', epsilon),
    ...(!biased && { qkv_bias: false }),
  };
  return fail(
    weightsPath,
    `expected config.json beside it, for tensors of width ${sizes.hidden} do not tell the number of heads; write it with that number: ${JSON.stringify(expectedSizes)}`,
  );
}

/** DINOv2 gives the inner width of an MLP as a multiple of the width. */
function withInnerWidth(file: Json): Json {
  const { model_type: type, hidden_size: width = 768, mlp_ratio: ratio = 4 } = file;
  return isDinov2(type) && typeof width === 'number' && typeof ratio === 'number'
    ? { ...file, intermediate_size: Math.floor(width * ratio) }
    : file;
}

function isTimms(file: Json): boolean {
  return file['architecture'] !== undefined;
}

/** Heads by width, blocks and inner width of the published ViTs (Ti, S, B, L, H). */
const PUBLISHED: Readonly<Record<string, number>> = {
  '192 12 768': 3,
  '384 12 1536': 6,
  '768 12 3072': 12,
  '1024 24 4096': 16,
  '1280 32 5120': 16,
};

function fromSizes({ hidden, blocks, wide, patch, side }: Sizes, heads: number | '…', eps: number): Json {
  return {
    hidden_size: hidden,
    num_hidden_layers: blocks,
    num_attention_heads: heads,
    intermediate_size: wide,
    layer_norm_eps: eps,
    image_size: side * patch,
    patch_size: patch,
  };
}
