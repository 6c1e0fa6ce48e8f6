import { z } from 'zod';
import type { Normalization } from '../../data/images/normalization.js';
import { channels, stds } from './preprocessor.js';
import type { Sizes } from './sizes.js';

/** timm's plain ViTs by the word in their names: width, blocks, heads. */
const FAMILIES: Readonly<Record<string, readonly [number, number, number]>> = {
  tiny: [192, 12, 3],
  small: [384, 12, 6],
  base: [768, 12, 12],
  large: [1024, 24, 16],
  huge: [1280, 32, 16],
  giant: [1408, 40, 16],
  gigantic: [1664, 48, 16],
};

/** A plain ViT's name, such as vit_small_patch16_224; any other word in it is another architecture. */
const ARCHITECTURE = new RegExp(
  `^(?:vit|deit)_(${Object.keys(FAMILIES).join('|')})_(?:distilled_)?patch\\d+(?:_reg\\d+)?_(?:dinov2|\\d+)$`,
);

/** Arguments of timm's VisionTransformer that follow from the tensors, or do not affect tokens. */
const HARMLESS =
  /^(img_size|patch_size|mlp_ratio|num_classes|drop_|proj_drop|pos_drop|attn_drop|patch_drop|weight_init|dynamic_img|strict_img|global_pool|fc_norm|qkv_bias|no_embed_class|fix_init|device|dtype|init_values|reg_tokens)/;

/** Arguments with the only values that leave it a plain ViT. */
const DEFAULTS: Readonly<Record<string, readonly unknown[]>> = {
  in_chans: [3],
  class_token: [true],
  pos_embed: ['learn'],
  qk_norm: [false],
  pre_norm: [false],
  final_norm: [true],
  proj_bias: [true],
  scale_attn_norm: [false],
  scale_mlp_norm: [false],
  norm_layer: [null, '', 'layernorm'],
  act_layer: [null, '', 'gelu'],
  pool_include_prefix: [true, false],
};

const COUNTS = ['embed_dim', 'depth', 'num_heads'];

const timmConfig = z.object({
  architecture: z.string(),
  model_args: z.record(z.string(), z.unknown()).nullish(),
  pretrained_cfg: z
    .object({ input_size: z.array(z.number()).optional(), mean: channels.optional(), std: stds.optional() })
    .nullish(),
});

export interface TimmModel {
  readonly heads: number;
  readonly normalization?: Normalization;
}

/**
 * The part of timm's own config.json beyond the tensors: the heads and blocks of its architecture, mean and std.
 *
 * `fail` is called where the architecture is no plain ViT, or has other sizes than the tensors.
 */
export function readTimmConfig(file: object, sizes: Sizes, fail: (got: string) => never): TimmModel {
  const parsed = timmConfig.safeParse(file);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return fail(`${issue.path.join('.')}: ${issue.message}`);
  }
  const { architecture, model_args: args, pretrained_cfg: cfg } = parsed.data;
  const family = FAMILIES[ARCHITECTURE.exec(architecture)?.[1] ?? ''];
  if (!family)
    return fail(
      `architecture: expected one of timm's plain ViTs, such as vit_small_patch16_224 or deit_tiny_patch16_224, got "${architecture}"`,
    );
  for (const [name, value] of Object.entries(args ?? {}))
    if (
      !COUNTS.includes(name) &&
      !HARMLESS.test(name) &&
      !(Object.hasOwn(DEFAULTS, name) && DEFAULTS[name]!.includes(value))
    )
      return fail(`model_args.${name}: expected a plain ViT's, got ${JSON.stringify(value)}`);
  const size = cfg?.input_size;
  if (size && (size.length !== 3 || size[1] !== size[2]))
    return fail(`pretrained_cfg.input_size: expected square images, got [${size.join(', ')}]`);

  const count = (name: string, normal: number) => {
    const value = args?.[name] ?? normal;
    return Number.isSafeInteger(value) && (value as number) > 0
      ? (value as number)
      : fail(`model_args.${name}: expected an integer from 1 up, got ${JSON.stringify(value)}`);
  };
  const [width, blocks] = [count('embed_dim', family[0]), count('depth', family[1])];
  for (const [name, says, has] of [
    ['embed_dim', width, sizes.hidden],
    ['depth', blocks, sizes.blocks],
  ] as const)
    if (says !== has)
      return fail(
        `expected the ${name} ${says} of ${architecture}, got tensors of ${has}; if the model was made with other arguments, name all of them in model_args (embed_dim, depth, num_heads)`,
      );
  const { mean, std } = cfg ?? {};
  return { heads: count('num_heads', family[2]), ...(mean && std && { normalization: { mean, std } }) };
}
