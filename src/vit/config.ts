import { z } from 'zod';

/** The shape of a ViT, by the names of Hugging Face's config.json; other keys of such a file are ignored. */
export const vitConfig = z.object({
  hidden_size: z.int().positive().default(768),
  num_hidden_layers: z.int().positive().default(12),
  num_attention_heads: z.int().positive().default(12),
  intermediate_size: z.int().positive().default(3072),
  layer_norm_eps: z.number().positive().default(1e-12),
  image_size: z.int().positive().default(224),
  patch_size: z.int().positive().default(16),
  hidden_act: z.literal('gelu').default('gelu'),
  num_channels: z.literal(3).default(3),
});

export type VitConfig = z.infer<typeof vitConfig>;
