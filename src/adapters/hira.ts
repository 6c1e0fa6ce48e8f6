import { z } from 'zod';
import { add, matMul, mul } from '../base/tfjs-core.js';
import { dropout } from '../engine/ops/dropout.js';
import { linear } from '../engine/ops/linear.js';
import { type Adapter, type AdapterOptions, checkCount, checkOptions, checkRank } from '../model/adapter.js';
import { siteName } from '../model/vit/adapter-sites.js';
import { defineAdapter, placeOf, SEARCHED_RANK, unscaledPlaceFlags } from './adapter-kind.js';

/** Options of `hira`. */
export interface HiraOptions extends AdapterOptions {
  readonly rank: number;
}

/**
 * HiRA (Huang et al. 2025, "HiRA: Parameter-Efficient Hadamard High-Rank Adaptation", ICLR): y = x·(W + W ⊙ (A·B)) + b.
 *
 * The product of each element of W with one of a matrix of rank r has a higher rank than LoRA's change, with as many
 * parameters. A [in, r] starts uniform in ±1/√in, B [r, out] zero. There is no alpha: the change is relative to W.
 *
 * @example
 * hira({ rank: 16 });
 */
export function hira(options: HiraOptions): Adapter {
  const { rank, dropout: rate = 0 } = options;
  const targets = checkOptions(options);
  checkCount('rank', rank);
  return {
    name: 'hira',
    settings: { rank, dropout: rate, targets },
    targets,
    ...placeOf(options),
    peft: {
      config: { peft_type: 'HIRA', r: rank, hira_dropout: rate, fan_in_fan_out: false, init_weights: true },
      keys: { hira_A: { key: 'hira_A', transposed: true }, hira_B: { key: 'hira_B', transposed: true } },
    },
    parameters: (site) => {
      checkRank('rank', rank, site);
      return [
        {
          name: `${siteName(site)}.hira_A`,
          shape: [site.inputs, rank],
          init: 1 / Math.sqrt(site.inputs),
        },
        { name: `${siteName(site)}.hira_B`, shape: [rank, site.outputs], init: 0 },
      ];
    },
    apply: (_site, x, { weight, bias }, { own, random }) => {
      const change = mul(weight, matMul(own('hira_A'), own('hira_B')));
      const dropped = dropout(x, rate, random);
      if (dropped === x) return { x, weight: add(weight, change), bias };
      return add(linear(x, weight, bias), linear(dropped, change));
    },
    merged: (_site, weight, own) => add(weight, mul(weight, matMul(own('hira_A'), own('hira_B')))),
  };
}

/** HiRA in the catalogue. */
export const hiraEntry = defineAdapter((settings) => hira(settings as unknown as HiraOptions), {
  description: 'with HiRA',
  flags: {
    rank: z.int().min(1).default(4).describe('rank of the matrix that multiplies the weight'),
    ...unscaledPlaceFlags,
  },
  ignores: 'HiRA has neither a scale nor blocks; --rank says its size',
  search: { rank: SEARCHED_RANK },
  sizeFlag: 'rank',
});
