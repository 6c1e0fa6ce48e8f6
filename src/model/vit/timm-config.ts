import { z } from 'zod';
import type { Normalization } from '../../data/images/normalization.js';
import type { Json } from '../../files/json-file.js';
import { statisticsFor } from './preprocessor.js';
import { type Sizes, shapeOf } from './sizes.js';

/** timm's ViTs by the word in their names: width, blocks, heads. */
const SIZES: Readonly<Record<string, readonly [number, number, number]>> = {
  tiny: [192, 12, 3],
  xsmall: [256, 10, 4],
  small: [384, 12, 6],
  small_plus: [384, 12, 6],
  medium: [512, 12, 8],
  betwixt: [640, 12, 10],
  base: [768, 12, 12],
  base_plus: [896, 12, 14],
  large: [1024, 24, 16],
  so400m: [1152, 27, 16],
  huge: [1280, 32, 16],
  huge_plus: [1280, 32, 20],
  giant: [1408, 40, 16],
  giant_dinov2: [1536, 40, 24],
  giantopt: [1536, 40, 16],
  gigantic: [1664, 48, 16],
  '7b': [4096, 40, 32],
};

/** A ViT's name, such as vit_small_patch16_224; any other word in it is another architecture. */
const ARCHITECTURE =
  /^(?:vit|deit)_([a-z\d]+)_(?:distilled_)?(plus_)?patch(\d+)(_plus)?(?:_reg\d+)?_(?:(dinov2)|(\d+)|(clip)(_quickgelu)?_\d+|(siglip)(?:_gap)?_(\d+)|(dinov3)(?:_qkvb)?)$/;

/** timm's names of activations, by those of transformers. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  gelu: 'gelu',
  gelu_tanh: 'gelu_pytorch_tanh',
  quick_gelu: 'quick_gelu',
  relu: 'relu',
  silu: 'silu',
};

/** A ViT of timm by its name: its sizes, and the keys of `vitConfig` that its family sets. */
function architectureOf(name: string) {
  const match = ARCHITECTURE.exec(name);
  if (!match) return undefined;
  const [, word, plusBefore, patch, plusAfter, dinov2, , clip, quick, siglip, side, dinov3] = match;
  const plus = plusBefore || plusAfter ? '_plus' : '';
  const size = SIZES[`${word}${plus}${dinov2 && word === 'giant' ? '_dinov2' : ''}`];
  // SigLIP's own GELU has a tanh; of the first models timm has the exact one.
  const tanh =
    siglip &&
    (word === 'giantopt' ||
      `${word}${patch}` === 'so400m16' ||
      patch === '32' ||
      `${word}${side}` === 'large512');
  const family = {
    layer_norm_eps: clip || dinov3 ? 1e-5 : 1e-6,
    ...(clip && { pre_norm: true }),
    ...(siglip && { class_token: false }),
    ...(dinov3 && { rope_theta: 100 }),
    ...(quick && { hidden_act: 'quick_gelu' }),
    ...(tanh && { hidden_act: 'gelu_pytorch_tanh' }),
  };
  return size && { size, family, usual: dinov3 ? 256 : 224 };
}

/** Arguments of timm's VisionTransformer that follow from the tensors, or do not affect tokens. */
const HARMLESS =
  /^(img_size|patch_size|mlp_ratio|num_classes|drop_|proj_drop|pos_drop|attn_drop|patch_drop|weight_init|dynamic_img|strict_img|global_pool|fc_norm|qkv_bias|no_embed_class|fix_init|device|dtype|init_values|reg_tokens|num_reg_tokens|swiglu|rope_grid_indexing|use_fc_norm|qkv_fused)/;

/** Arguments with the only values that leave it a plain ViT. */
const DEFAULTS: Readonly<Record<string, readonly unknown[]>> = {
  pos_embed: ['learn'],
  qk_norm: [false],
  rope_type: ['dinov3'],
  rope_temperature: [100],
  rope_rotate_half: [true],
  use_rot_pos_emb: [true],
  use_abs_pos_emb: [false],
  final_norm: [true],
  proj_bias: [true],
  scale_attn_norm: [false],
  scale_mlp_norm: [false],
  norm_layer: [null, '', 'layernorm'],
  pool_include_prefix: [true, false],
};

const COUNTS = ['embed_dim', 'depth', 'num_heads'];

const timmConfig = ({ mean, std }: ReturnType<typeof statisticsFor>) =>
  z.object({
    architecture: z.string(),
    model_args: z.record(z.string(), z.unknown()).nullish(),
    pretrained_cfg: z
      .object({ input_size: z.array(z.number()).optional(), mean: mean.optional(), std: std.optional() })
      .nullish(),
  });

/** What timm's config.json says of a model. */
export interface TimmModel {
  /** The keys of `vitConfig`. */
  readonly config: Json;
  readonly normalization?: Normalization;
}

/**
 * The config of a ViT by timm's own config.json, whose sizes are those of the tensors; the heads follow from the
 * architecture's name, or from `model_args`.
 *
 * `fail` is called where the architecture is no ViT that can be read, or has other sizes than the tensors.
 */
export function readTimmConfig(file: object, sizes: Sizes, fail: (got: string) => never): TimmModel {
  const parsed = timmConfig(statisticsFor(sizes.channels)).safeParse(file);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return fail(`${issue.path.join('.')}: ${issue.message}`);
  }
  const { architecture, model_args, pretrained_cfg: cfg } = parsed.data;
  const args = model_args ?? {};
  const known = architectureOf(architecture);
  if (!known)
    return fail(
      `architecture: expected one of timm's ViTs, such as vit_small_patch16_224, deit_tiny_patch16_224, vit_base_patch16_clip_224, vit_base_patch16_siglip_224 or vit_small_patch16_dinov3, got "${architecture}"`,
    );
  const { family, size, usual } = known;
  const { class_token: hasClass = !('class_token' in family), pre_norm: hasNorm = 'pre_norm' in family } =
    args;
  const { act_layer: act } = args;
  checkArguments(args, hasClass, hasNorm, sizes, fail);
  const area = cfg?.input_size;
  if (area && (area.length !== 3 || area[1] !== area[2]))
    return fail(`pretrained_cfg.input_size: expected square images, got [${area.join(', ')}]`);
  const config = {
    ...family,
    ...(hasClass ? { class_token: undefined } : { class_token: false }),
    ...(hasNorm ? { pre_norm: true } : { pre_norm: undefined }),
    ...(act ? { hidden_act: ACTIVATIONS[`${act}`] } : {}),
  };
  const heads = headsOf(architecture, args, size, sizes, fail);
  const side = sizes.side === undefined ? undefined : sizes.side * sizes.patch;
  const { mean, std } = cfg ?? {};
  return {
    config: {
      ...shapeOf(sizes, heads, family.layer_norm_eps),
      ...config,
      image_size: side ?? args['img_size'] ?? area?.[1] ?? usual,
    },
    ...(mean && std && { normalization: { mean, std } }),
  };
}

/** Refuses arguments that change what a ViT computes, beside those that are read. */
function checkArguments(
  args: Json,
  hasClass: unknown,
  hasNorm: unknown,
  { channels }: Sizes,
  fail: (got: string) => never,
): void {
  const { act_layer: act } = args;
  const { class_token: _, pre_norm: __, act_layer: ___, ...others } = args;
  for (const [name, value] of Object.entries({
    ...others,
    ...(typeof hasClass !== 'boolean' && { class_token: hasClass }),
    ...(typeof hasNorm !== 'boolean' && { pre_norm: hasNorm }),
    ...(Boolean(act) && !Object.hasOwn(ACTIVATIONS, `${act}`) && { act_layer: act }),
  }))
    if (
      !COUNTS.includes(name) &&
      !HARMLESS.test(name) &&
      !(name === 'in_chans' && value === channels) &&
      !(Object.hasOwn(DEFAULTS, name) && DEFAULTS[name]!.includes(value))
    )
      fail(`model_args.${name}: expected one that can be read, got ${JSON.stringify(value)}`);
}

/** The number of heads, once width and blocks are those of the tensors. */
function headsOf(
  architecture: string,
  args: Json,
  [width, depth, normalHeads]: readonly [number, number, number],
  sizes: Sizes,
  fail: (got: string) => never,
): number {
  const count = (name: string, normal: number) => {
    const value = args[name] ?? normal;
    return Number.isSafeInteger(value) && (value as number) > 0
      ? (value as number)
      : fail(`model_args.${name}: expected an integer from 1 up, got ${JSON.stringify(value)}`);
  };
  for (const [name, says, has] of [
    ['embed_dim', count('embed_dim', width), sizes.hidden],
    ['depth', count('depth', depth), sizes.blocks],
  ] as const)
    if (says !== has)
      return fail(
        `expected the ${name} ${says} of ${architecture}, got tensors of ${has}; if the model was made with other arguments, name all of them in model_args (embed_dim, depth, num_heads)`,
      );
  return count('num_heads', normalHeads);
}
