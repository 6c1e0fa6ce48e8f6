import type { Tensor } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { add, concat, pad, reshape, slice, sum } from '../base/tfjs-core.js';
import { dropout } from '../engine/ops/dropout.js';
import { linear } from '../engine/ops/linear.js';
import { linears } from '../engine/ops/linears.js';
import { type Adapter, type AdapterOptions, checkCount, checkOptions } from '../model/adapter.js';
import { siteName } from '../model/vit/adapter-sites.js';
import { defineAdapter, placeOf, SEARCHED_RANK, unscaledPlaceFlags } from './adapter-kind.js';

/** Options of `miss`. */
export interface MissOptions extends AdapterOptions {
  /** r: rows of D, and the length of the pieces into which an input is cut. */
  readonly rank: number;
}

/**
 * MiSS (Kang & Yin 2024, "MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure",
 * arXiv:2409.15371): y = x·W + b + (Σ_j x_j)·D, with x cut into pieces x_j of length r.
 *
 * All pieces share the one matrix D [r, out], so that the change of W is D repeated downwards; it starts at zero. Where r does
 * not divide the inputs, the last piece ends in zeros. There is no alpha, and half as many parameters as LoRA of that
 * rank has in a square map.
 *
 * @example
 * miss({ rank: 32 });
 */
export function miss(options: MissOptions): Adapter {
  const { rank, dropout: rate = 0 } = options;
  const targets = checkOptions(options);
  checkCount('rank', rank);
  return {
    name: 'miss',
    settings: { rank, dropout: rate, targets },
    targets,
    ...placeOf(options),
    peft: {
      config: { peft_type: 'MISS', r: rank, miss_dropout: rate, mini_r: 1, bias: 'none', init_weights: true },
      keys: { miss_D: { key: 'miss_block' } },
    },
    parameters: (site) => {
      if (rank > site.inputs)
        throw new UserError(
          `rank: expected at most the inputs of ${site.target}, ${site.inputs}, got ${rank}; see --rank`,
          { rank },
        );
      return [{ name: `${siteName(site)}.miss_D`, shape: [rank, site.outputs], init: 0 }];
    },
    apply: (_site, x, base, { own, random }) =>
      add(linears([{ x, ...base }])[0]!, linear(pieces(dropout(x, rate, random), rank), own('miss_D'))),
    merged: ({ inputs, outputs }, weight, own) => {
      const count = Math.ceil(inputs / rank);
      const repeated = concat(Array.from({ length: count }, () => own('miss_D')));
      return add(weight, slice(repeated, [0, 0], [inputs, outputs]));
    },
  };
}

/** The sum of the pieces of x [..., in]: [..., r]. */
function pieces(x: Tensor, rank: number): Tensor {
  const inputs = x.shape.at(-1)!;
  const count = Math.ceil(inputs / rank);
  const missing = count * rank - inputs;
  const rows = reshape(x, [x.size / inputs, inputs]);
  const whole =
    missing === 0
      ? rows
      : pad(rows, [
          [0, 0],
          [0, missing],
        ]);
  return reshape(sum(reshape(whole, [x.size / inputs, count, rank]), 1), [...x.shape.slice(0, -1), rank]);
}

/** MiSS in the catalogue. */
export const missEntry = defineAdapter((settings) => miss(settings as unknown as MissOptions), {
  description: 'with MiSS',
  flags: {
    rank: z.int().min(1).default(8).describe('rows of the matrix that all pieces of an input share'),
    ...unscaledPlaceFlags,
  },
  ignores: 'MiSS has neither a scale nor blocks; --rank says its size',
  search: { rank: { ...SEARCHED_RANK, first: 8 } },
  sizeFlag: 'rank',
});
