import { z } from 'zod';
import { UserError } from '../../base/errors.js';

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

/** The shape of a ViT, by the names of Hugging Face's config.json; other keys of such a file are ignored. */
export const vitConfig = z
  .object({
    hidden_size: z.int().positive().default(768),
    num_hidden_layers: z.int().positive().default(12),
    num_attention_heads: z.int().positive().default(12),
    intermediate_size: z.int().positive().default(3072),
    layer_norm_eps: z.number().positive().default(1e-12),
    image_size: square(224),
    patch_size: square(16),
    hidden_act: z
      .literal('gelu', { error: ({ input }) => `expected gelu, got ${JSON.stringify(input)}` })
      .default('gelu'),
    num_channels: z.literal(3).default(3),
  })
  .refine(({ hidden_size: width, num_attention_heads: heads }) => width % heads === 0, {
    path: ['num_attention_heads'],
    error: 'expected a divisor of hidden_size',
  });

/** The shape of a ViT; see `vitConfig`. */
export type VitConfig = z.infer<typeof vitConfig>;

/** Refuses a number of heads that does not divide the width. */
export function checkHeads({ hidden_size: width, num_attention_heads: heads }: VitConfig): void {
  if (width % heads !== 0)
    throw new UserError(`num_attention_heads: expected a divisor of the width ${width}, got ${heads}`, {
      heads,
    });
}

/** The side of the grid of patches that a model's position embeddings belong to. */
export function gridSide({ image_size: size, patch_size: patch }: VitConfig): number {
  return Math.floor(size / patch);
}
