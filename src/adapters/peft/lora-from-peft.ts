import { z } from 'zod';
import { lora } from '../lora.js';
import type { PeftReader } from '../peft-config.js';

/**
 * Makes LoRA, rsLoRA or DoRA from PEFT's LoraConfig. @throws UserError for a setting that has no counterpart here.
 */
export const loraFromPeft: PeftReader = {
  read: (config, where) => {
    const parsed = loraConfig.parse(config);
    return lora({
      ...where,
      rank: parsed.r,
      alpha: parsed.lora_alpha,
      dropout: parsed.lora_dropout,
      rsLora: parsed.use_rslora,
      dora: parsed.use_dora,
    });
  },
  fields: () => Object.keys(loraConfig.shape),
};

const pattern = z.record(z.string(), z.number()).nullish();

const loraConfig = z
  .object({
    r: z.int().min(1),
    lora_alpha: z.number().default(8),
    lora_dropout: z.number().default(0),
    use_rslora: z.boolean().default(false),
    use_dora: z.boolean().default(false),
    rank_pattern: pattern,
    alpha_pattern: pattern,
    lora_bias: z.literal(false).default(false),
    // The others move the base weight, and their file holds only the difference from what it then was.
    init_lora_weights: z
      .union([z.boolean(), z.enum(['gaussian', 'eva', 'orthogonal'])], {
        error:
          'expected an adapter of the untouched base weights; let PEFT convert it (path_initial_model_for_weight_conversion)',
      })
      .default(true),
  })
  .superRefine(({ r, lora_alpha, rank_pattern, alpha_pattern }, context) => {
    for (const [name, patterns, value] of [
      ['rank_pattern', rank_pattern, r],
      ['alpha_pattern', alpha_pattern, lora_alpha],
    ] as const)
      for (const other of Object.values(patterns ?? {}))
        if (other !== value)
          context.addIssue({
            code: 'custom',
            path: [name],
            message: `expected one rank and alpha for all modules, got ${other} beside ${value}`,
          });
  });
