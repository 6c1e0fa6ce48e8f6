import { add, div, matMul, mul, sqrt, square, sum, type Tensor } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { frozen } from '../engine/frozen.js';
import { dropout } from '../engine/ops/dropout.js';
import { linear } from '../engine/ops/linear.js';
import {
  type Adapter,
  type AdapterOptions,
  checkCount,
  checkFinite,
  checkOptions,
  checkRank,
  type Site,
} from '../model/adapter.js';
import type { PeftReader } from './peft-config.js';

/** Options of `lora`. */
export interface LoraOptions extends AdapterOptions {
  readonly rank: number;
  /** The change is scaled by alpha / rank. Default: rank. */
  readonly alpha?: number;
  /** Scale by alpha / √rank (Kalajdzievski 2023, "A Rank Stabilization Scaling Factor"). Default false. */
  readonly rsLora?: boolean;
  /** Learn each output's magnitude apart from its direction (Liu et al. 2024, "DoRA"). Default false. */
  readonly dora?: boolean;
}

/**
 * LoRA (Hu et al. 2022, "LoRA: Low-Rank Adaptation", eq. 3): y = x·W + b + (α/r)·(x·A)·B.
 *
 * A [in, r] starts uniform in ±1/√in (Kaiming with a = √5), B [r, out] zero. With `dora` the direction of each output
 * column of W + (α/r)AB is scaled to a learned magnitude m [out], which starts at the column's own norm; the
 * norm counts as a constant in the gradient (DoRA, section 4.3).
 *
 * @example
 * lora({ rank: 16, alpha: 16, targets: ['query', 'value'] });
 */
export function lora(options: LoraOptions): Adapter {
  const { rank, alpha = rank, rsLora = false, dora = false, dropout: rate = 0 } = options;
  const targets = checkOptions(options);
  checkCount('rank', rank);
  checkFinite('alpha', alpha);
  const scale = alpha / (rsLora ? Math.sqrt(rank) : rank);
  const name = (site: Site, part: string) => `layers.${site.layer}.${site.target}.${part}`;
  const change = (own: (part: string) => Tensor) =>
    mul(matMul(own('lora_A') as Tensor, own('lora_B')), scale);

  return {
    name: dora ? 'dora' : 'lora',
    settings: { rank, alpha, rsLora, dora, dropout: rate, targets },
    targets,
    ...(options.layers && { layers: options.layers }),
    peft: {
      config: {
        peft_type: 'LORA',
        r: rank,
        lora_alpha: alpha,
        lora_dropout: rate,
        use_rslora: rsLora,
        use_dora: dora,
        init_lora_weights: true,
      },
      keys: {
        lora_A: 'lora_A.weight',
        lora_B: 'lora_B.weight',
        ...(dora && { lora_magnitude: 'lora_magnitude_vector' }),
      },
    },
    parameters: (site) => {
      checkRank('rank', rank, site);
      return [
        { name: name(site, 'lora_A'), shape: [site.inputs, rank], init: 1 / Math.sqrt(site.inputs) },
        { name: name(site, 'lora_B'), shape: [rank, site.outputs], init: 0 },
        ...(dora ? [{ name: name(site, 'lora_magnitude'), shape: [site.outputs], init: columnNorms }] : []),
      ];
    },
    apply: (_site, x, { weight, bias }, { own, random }) => {
      const lowRank = { a: own('lora_A'), b: own('lora_B'), scale };
      const dropped = dropout(x, rate, random);
      if (!dora && dropped === x) return { x, weight, bias, lowRank };
      const low = mul(linear(dropped, lowRank.a), scale);
      if (!dora) return add(linear(x, weight, bias), linear(low, lowRank.b));
      const direction = add(linear(x, weight), linear(low, lowRank.b));
      const norms = frozen(() => columnNorms(add(weight, change(own))));
      return add(mul(direction, div(own('lora_magnitude'), norms)), bias);
    },
    merged: (_site, weight, own) => {
      const sum = add(weight, change(own));
      return dora ? mul(sum, div(own('lora_magnitude'), columnNorms(sum))) : sum;
    },
  };
}

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

function columnNorms(weight: Tensor): Tensor {
  return sqrt(sum(square(weight), 0));
}
