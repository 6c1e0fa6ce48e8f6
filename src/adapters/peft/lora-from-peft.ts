import { z } from 'zod';
import { lora } from '../lora.js';
import { BIASES } from '../lora-options.js';
import { type Patterns, patternValue } from '../patterns.js';
import type { PeftModules, PeftReader } from '../peft-config.js';

/**
 * Makes LoRA, rsLoRA or DoRA from PEFT's LoraConfig. @throws UserError for a setting that has no counterpart here.
 */
export const loraFromPeft: PeftReader = {
  read: (config, where, modules) => {
    const parsed = loraConfig.parse(config);
    const { init_lora_weights: start, use_dora: dora } = parsed;
    const init = start === 'pissa' || start === 'olora' ? start : undefined;
    return lora({
      ...where,
      rank: parsed.r,
      alpha: parsed.lora_alpha,
      dropout: parsed.lora_dropout,
      rsLora: parsed.use_rslora,
      dora,
      bias: parsed.bias,
      ...(init && { init }),
      rankPattern: ourPatterns(parsed.rank_pattern, modules, parsed.r),
      alphaPattern: ourPatterns(parsed.alpha_pattern, modules, parsed.lora_alpha),
    });
  },
  fields: () => Object.keys(loraConfig.shape),
};

/** PEFT's patterns as the values that they give to our maps. */
function ourPatterns(patterns: Patterns | null | undefined, modules: PeftModules, usual: number): Patterns {
  const values = [...modules].map(
    ([name, names]) => [name, patternValue(patterns ?? {}, names, usual)] as const,
  );
  return Object.fromEntries(values.filter(([, value]) => value !== usual));
}

const pattern = z.record(z.string(), z.number()).nullish();

/** Starts that say nothing of what the file holds. */
const PLAIN_STARTS = ['gaussian', 'eva', 'orthogonal', 'mica'];

const loraConfig = z.object({
  r: z.int().min(1),
  lora_alpha: z.number().default(8),
  lora_dropout: z.number().default(0),
  use_rslora: z.boolean().default(false),
  use_dora: z.boolean().default(false),
  bias: z.enum(BIASES).default('none'),
  rank_pattern: pattern,
  alpha_pattern: pattern,
  lora_bias: z.literal(false, { error: 'expected false: biases beside B are not supported' }).default(false),
  // pissa and olora moved the base weight, as can be computed again; the others did by chance or by data.
  init_lora_weights: z
    .union([z.boolean(), z.enum([...PLAIN_STARTS, 'pissa', 'olora'])], {
      error: (issue) =>
        `expected an adapter of the untouched base weights, or of pissa or olora, got ${JSON.stringify(issue.input)}; let PEFT convert it (path_initial_model_for_weight_conversion)`,
    })
    .default(true),
});
