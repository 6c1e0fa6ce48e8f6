import { z } from 'zod';
import { UserError } from '../../base/errors.js';
import type { Size } from '../../data/images/image-size.js';

/** The names of `ACTIVATIONS`. */
const ACTIVATION_NAMES = [
  'gelu',
  'gelu_new',
  'gelu_fast',
  'gelu_pytorch_tanh',
  'quick_gelu',
  'relu',
  'silu',
  'swish',
] as const;

/** transformers writes a square as one number or as two. */
const square = (normal: number) =>
  z
    .preprocess(
      (value) => (Array.isArray(value) && value.length === 2 && value[0] === value[1] ? value[0] : value),
      z
        .int({ error: ({ input }) => `expected one number, a square, got ${JSON.stringify(input)}` })
        .positive(),
    )
    .default(normal);

/** transformers writes a rectangle as [height, width]. */
const area = z
  .preprocess(
    (value) => (Array.isArray(value) && value.length === 2 && value[0] === value[1] ? value[0] : value),
    z.union([z.int().positive(), z.tuple([z.int().positive(), z.int().positive()]).readonly()], {
      error: ({ input }) => `expected a number, or [height, width], got ${JSON.stringify(input)}`,
    }),
  )
  .default(224);

/** The shape of a ViT, by the names of Hugging Face's config.json; other keys of such a file are ignored. */
export const vitConfig = z
  .object({
    hidden_size: z.int().positive().default(768),
    num_hidden_layers: z.int().positive().default(12),
    num_attention_heads: z.int().positive().default(12),
    intermediate_size: z.int().positive().default(3072),
    layer_norm_eps: z.number().positive().default(1e-12),
    image_size: area,
    patch_size: square(16),
    hidden_act: z
      .enum(ACTIVATION_NAMES, {
        error: ({ input }) => `expected one of ${ACTIVATION_NAMES.join(', ')}, got ${JSON.stringify(input)}`,
      })
      .default('gelu'),
    /** Constant tokens between the class token and the patches, without positions. */
    num_register_tokens: z.int().min(0).optional(),
    /** False for a model without a class token (SigLIP). */
    class_token: z.literal(false).optional(),
    /** Whether a LayerNorm comes before the first block (CLIP). */
    pre_norm: z.literal(true).optional(),
    /** The base of rotary positions (DINOv3), which then take the place of the table of positions. */
    rope_theta: z.number().positive().optional(),
    /** Whether MLPs are gated: act(x·G)∘(x·W), then the second map (Shazeer 2020, "GLU Variants"). */
    use_gated_mlp: z
      .boolean()
      .transform((gated) => gated || undefined)
      .optional(),
    /** Whether LayerScale was folded into the weights as they were read: no key of transformers. */
    folded_layer_scale: z.boolean().optional(),
    /** The module names in transformers, where the features do not tell them: no key of transformers. */
    module_names: z.enum(['vit', 'dinov2']).optional(),
    num_channels: z.int().positive().default(3),
  })
  .refine(({ hidden_size: width, num_attention_heads: heads }) => width % heads === 0, {
    path: ['num_attention_heads'],
    error: 'expected a divisor of hidden_size',
  })
  .refine(
    ({ rope_theta: base, hidden_size: width, num_attention_heads: heads }) =>
      base === undefined || (width / heads) % 4 === 0,
    {
      path: ['num_attention_heads'],
      error: 'expected heads of a width that 4 divides, for rotary positions',
    },
  );

/** The shape of a ViT; see `vitConfig`. */
export type VitConfig = z.infer<typeof vitConfig>;

/** Refuses a number of heads that does not divide the width. */
export function checkHeads({ hidden_size: width, num_attention_heads: heads }: VitConfig): void {
  if (width % heads !== 0)
    throw new UserError(`num_attention_heads: expected a divisor of the width ${width}, got ${heads}`, {
      heads,
    });
}

/** The size of the pictures that a model's position embeddings are for. */
export function imageSizeOf({ image_size: size }: Pick<VitConfig, 'image_size'>): Size {
  return typeof size === 'number' ? { width: size, height: size } : { height: size[0], width: size[1] };
}

/** A config for pictures of another size. */
export function withImageSize(config: VitConfig, { width, height }: Size): VitConfig {
  return { ...config, image_size: width === height ? width : [height, width] };
}

/** The number of tokens with a position that come before the patches: the class token, or none. */
export function leadingPositions({ class_token: has }: Pick<VitConfig, 'class_token'>): number {
  return has === false ? 0 : 1;
}

/** The number of tokens before the patches: the class token and registers. */
export function leadingTokens(config: VitConfig): number {
  return leadingPositions(config) + (config.num_register_tokens ?? 0);
}

/** A grid of patches. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
}

/** The grid of patches of a model's pictures. */
export function gridOf(config: VitConfig): Grid {
  const { width, height } = imageSizeOf(config);
  const patch = config.patch_size;
  return { rows: Math.floor(height / patch), columns: Math.floor(width / patch) };
}

/** The tokens of one picture, those before the patches included, and their width: [tokens, hidden]. */
export function tokenShape(config: VitConfig): readonly [number, number] {
  const { rows, columns } = gridOf(config);
  return [leadingTokens(config) + rows * columns, config.hidden_size];
}
