import type { Tensor } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { add, div, matMul, mul, sqrt, square, sum } from '../base/tfjs-core.js';
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
import { defineAdapter, placeFlags, SEARCHED_ALPHA, SEARCHED_RANK } from './adapter-kind.js';

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

const loraFlags = {
  rank: z.int().min(1).default(4).describe('rank of the update'),
  rsLora: z.boolean().default(false).describe('scale by alpha / √rank'),
  dora: z.boolean().default(false).describe('learn magnitudes and directions separately (DoRA)'),
  ...placeFlags,
};

const loraKind = {
  description: 'with LoRA',
  flags: loraFlags,
  ignores: 'LoRA has no blocks; --rank says its size',
  search: { rank: SEARCHED_RANK, alpha: SEARCHED_ALPHA },
  atRank: (rank: number, scale: number) => ({ rank, alpha: scale * rank }),
};

/** LoRA in the catalogue. */
export const loraEntry = defineAdapter((settings) => lora(settings as unknown as LoraOptions), loraKind);

/** DoRA in the catalogue: LoRA that always learns magnitudes. */
export const doraEntry = defineAdapter(
  (settings) => lora({ ...(settings as unknown as LoraOptions), dora: true }),
  {
    ...loraKind,
    description: 'with DoRA',
    flags: {
      // A run's name and record have said `lora` since the first version.
      loraType: z.enum(['lora', 'dora']).default('lora').describe('adapter of this recipe'),
      ...loraFlags,
      dora: loraFlags.dora.default(true),
    },
  },
);

function columnNorms(weight: Tensor): Tensor {
  return sqrt(sum(square(weight), 0));
}
