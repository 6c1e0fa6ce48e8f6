import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import type { Normalization } from '../../data/images/normalization.js';
import type { Json } from '../../files/json-file.js';
import { type VitConfig, vitConfig } from './config.js';
import { encoderFile, foreignModel } from './model-types.js';
import type { NamedWeights } from './names.js';
import { shapeOf, sizesOf } from './sizes.js';
import { readTimmConfig } from './timm-config.js';

/** The contents of a model's config.json. */
export interface GivenConfig {
  readonly config: VitConfig;
  /** The linear maps that have no biases. */
  readonly unbiased: readonly string[];
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
  const parse = (config: unknown) => parsedConfig(config, (text) => fail(file ? path : weightsPath, text));
  if (file && !isTimms(file))
    return transformersConfig(file, weights, weightsPath, parse, (text) => fail(path, text));
  const unbiased = MAYBE_UNBIASED.filter(
    (map) => ![...weights.keys()].some((name) => isOf(map, 'bias', name)),
  );
  const missing = (name: string) => fail(weightsPath, `expected ${name} of a ViT, got no such tensor`);
  const sizes = sizesOf(weights, missing);
  const { side } = sizes;
  if (side !== undefined && !Number.isInteger(side))
    fail(
      weightsPath,
      `expected positions of a class token and a square of patches, got ${weights.get('positions')!.shape[1]}`,
    );
  if (file) {
    const { config, normalization } = readTimmConfig(file, sizes, (text) => fail(path, text));
    return {
      config: parse({ ...config, ...gating(weights) }),
      unbiased,
      ...(normalization && { normalization }),
    };
  }
  const fromSizes = (heads: number | '…') => ({
    ...shapeOf(sizes, heads, epsilon),
    image_size: (side ?? missing('positions')) * sizes.patch,
  });
  const heads = PUBLISHED[`${sizes.hidden} ${sizes.blocks} ${sizes.wide}`];
  if (heads !== undefined) return { config: parse({ ...fromSizes(heads), ...gating(weights) }), unbiased };
  const expectedSizes = {
    model_type: 'vit',
    ...fromSizes('…'),
    ...(unbiased.length > 0 && { qkv_bias: false }),
  };
  return fail(
    weightsPath,
    `expected config.json beside it, for tensors of width ${sizes.hidden} do not tell the number of heads; write it with that number: ${JSON.stringify(expectedSizes)}`,
  );
}

/** A config by `vitConfig`, without the keys that say nothing. */
function parsedConfig(config: unknown, fail: (text: string) => never): VitConfig {
  const { data, error } = vitConfig.safeParse(config);
  const issue = error?.issues[0];
  if (!data) return fail(`${issue!.path.join('.')}: ${issue!.message}`);
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as VitConfig;
}

/** What a config.json of transformers says. */
function transformersConfig(
  file: Json,
  weights: NamedWeights,
  weightsPath: string,
  parse: (config: unknown) => VitConfig,
  fail: (text: string) => never,
): GivenConfig {
  if (file['model_type'] === undefined && file['num_attention_heads'] === undefined)
    fail('expected a ViT of transformers (model_type) or timm (architecture), got neither');
  const { json, unbiased } = encoderFile(file);
  const biases = [...weights.keys()].filter((name) => unbiased.some((map) => isOf(map, 'bias', name)));
  if (biases.length > 0)
    fail(
      `${file['qkv_bias'] === false ? 'qkv_bias' : 'biases'}: expected true for the ${biases.length} of ${weightsPath}, got false`,
    );
  return { config: parse({ ...gating(weights), ...json }), unbiased };
}

/** What a checkpoint of timm may have no biases of. */
const MAYBE_UNBIASED = ['query', 'key', 'value', 'patch'];

/** Whether a tensor is the weight or bias of one of the linear maps of this name. */
export function isOf(map: string, kind: 'weight' | 'bias', name: string): boolean {
  return name === `${map}.${kind}` || name.endsWith(`.${map}.${kind}`);
}

/** What gated tensors say where no config.json says more: the gate has SiLU (SwiGLU). */
function gating(weights: NamedWeights): Json {
  return weights.has('layers.0.gate.weight') ? { use_gated_mlp: true, hidden_act: 'silu' } : {};
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
