import { z } from 'zod';
import { localizedLora } from '../localized-lora.js';
import type { PeftReader } from '../peft-config.js';

/**
 * Makes Localized LoRA from PEFT's GraloraConfig. @throws UserError for a setting that has no counterpart here.
 */
export const localizedLoraFromPeft: PeftReader = {
  read: (config, where) => {
    const { r, alpha, gralora_k: blocks, gralora_dropout: dropout } = graloraConfig.parse(config);
    return localizedLora({ ...where, blocks, blockRank: r / blocks, alpha: alpha / blocks, dropout });
  },
  fields: () => [...Object.keys(graloraConfig.shape), 'init_weights'],
};

const graloraConfig = z.object({
  r: z.int().min(1).default(32),
  alpha: z.number().default(64),
  gralora_k: z.int().min(1).default(2),
  gralora_dropout: z.number().default(0),
  bias: z
    .literal('none', { error: 'expected none: GraLoRA that trains biases is not supported' })
    .default('none'),
  hybrid_r: z.literal(0, { error: 'expected 0, no plain LoRA beside the blocks' }).default(0),
});
