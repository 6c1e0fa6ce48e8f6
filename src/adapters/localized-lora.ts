import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { add, matMul, mul, reshape, transpose } from '../base/tfjs-core.js';
import { dropout } from '../engine/ops/dropout.js';
import { linears } from '../engine/ops/linears.js';
import { lowRankChange } from '../engine/ops/low-rank.js';
import {
  type Adapter,
  type AdapterOptions,
  checkCount,
  checkFinite,
  checkOptions,
  checkRank,
  type Site,
} from '../model/adapter.js';
import { defineAdapter, placeFlags, placeOf, SEARCHED_ALPHA, type SearchedFlag } from './adapter-kind.js';

/** Options of `localizedLora`. */
export interface LocalizedLoraOptions extends AdapterOptions {
  /** K: input and output are divided into K chunks each, which makes K² blocks. */
  readonly blocks: number;
  /** Rank of each block. LoRA of rank K·blockRank has as many parameters. */
  readonly blockRank: number;
  /** The change is scaled by alpha / blockRank. Default: blockRank. */
  readonly alpha?: number;
}

/**
 * Localized LoRA: a low-rank change of each block of the weight, y_i += (α/r_block)·Σ_j (x_j·A_ij)·B_ij over K input
 * chunks j for each of K output chunks i; the same change as GraLoRA's.
 *
 * All K² blocks are two batched products: A [K, in/K, K·r] holds for input chunk j the factors of all outputs side
 * by side, B [K, K·r, out/K] for output chunk i those of all inputs. A starts uniform in ±1/√(in/K), B zero.
 *
 * @example
 * localizedLora({ blocks: 4, blockRank: 4, alpha: 16 });
 */
export function localizedLora(options: LocalizedLoraOptions): Adapter {
  const { blocks: K, blockRank: r, alpha = r, dropout: rate = 0 } = options;
  const targets = checkOptions(options);
  checkCount('blocks', K);
  checkCount('blockRank', r);
  checkFinite('alpha', alpha);
  const scale = alpha / r;
  const name = (site: Site, part: string) => `layers.${site.layer}.${site.target}.${part}`;

  return {
    name: 'localized_lora',
    settings: { blocks: K, blockRank: r, alpha, dropout: rate, targets },
    targets,
    ...placeOf(options),
    // GraLoRA (Jung et al. 2025, arXiv:2505.20355) counts the rank of all blocks of a row, K·r, and scales by it.
    peft: {
      config: {
        peft_type: 'GRALORA',
        r: K * r,
        alpha: K * alpha,
        gralora_k: K,
        hybrid_r: 0,
        gralora_dropout: rate,
        bias: 'none',
        fan_in_fan_out: false,
        init_weights: true,
      },
      keys: { localized_A: { key: 'gralora_A' }, localized_B: { key: 'gralora_B' } },
    },
    parameters: (site) => {
      checkBlocks(K, site);
      checkRank('blockRank', r, site);
      return [
        {
          name: name(site, 'localized_A'),
          shape: [K, site.inputs / K, K * r],
          init: 1 / Math.sqrt(site.inputs / K),
        },
        { name: name(site, 'localized_B'), shape: [K, K * r, site.outputs / K], init: 0 },
      ];
    },
    apply: (_site, x, base, { own, random }) => {
      const lowRank = { a: own('localized_A'), b: own('localized_B'), scale };
      const dropped = dropout(x, rate, random);
      if (dropped === x) return { x, ...base, lowRank };
      return add(linears([{ x, ...base }])[0]!, lowRankChange(dropped, lowRank));
    },
    merged: (_site, weight, own) => {
      const [A, B] = [own('localized_A'), own('localized_B')];
      const [inputs, outputs] = weight.shape as [number, number];
      // Block (j, i) = A[j, :, i] · B[i, j, :], for all j and i at once.
      const left = transpose(reshape(A, [K, inputs / K, K, r]), [0, 2, 1, 3]);
      const right = transpose(reshape(B, [K, K, r, outputs / K]), [1, 0, 2, 3]);
      const grid = transpose(matMul(left, right), [0, 2, 1, 3]);
      return add(weight, mul(reshape(grid, [inputs, outputs]), scale));
    },
  };
}

function checkBlocks(blocks: number, { target, inputs, outputs }: Site): void {
  if (inputs % blocks === 0 && outputs % blocks === 0) return;
  throw new UserError(
    `blocks: expected a divisor of ${target}'s ${inputs} inputs and ${outputs} outputs, got ${blocks}; see --num-blocks-per-row`,
    { blocks },
  );
}

const searchedBlock = { choices: [2, 4, 8, 16] } satisfies SearchedFlag;

/** Localized LoRA in the catalogue. */
export const localizedLoraEntry = defineAdapter(
  (settings) => localizedLora(settings as unknown as LocalizedLoraOptions),
  {
    description: 'with Localized LoRA',
    flags: {
      rBlock: z.int().min(1).default(2).describe('rank of each block'),
      numBlocksPerRow: z.int().min(1).default(2).describe('K: a weight is divided into K × K blocks'),
      ...placeFlags,
    },
    ignores: '--r-block and --num-blocks-per-row say the size of Localized LoRA',
    flagsOf: ({ blockRank: rBlock, blocks: numBlocksPerRow, dropout: adapterDropout, ...place }) => ({
      ...place,
      rBlock,
      numBlocksPerRow,
      adapterDropout,
    }),
    settings: ({ rBlock: blockRank, numBlocksPerRow: blocks, adapterDropout: dropout, ...place }) => ({
      ...place,
      blockRank,
      blocks,
      dropout,
    }),
    search: {
      rBlock: { ...searchedBlock, name: 'r_block', fits: (rank, hiddenSize) => rank <= hiddenSize },
      numBlocksPerRow: {
        ...searchedBlock,
        name: 'num_blocks',
        fits: (blocks, hiddenSize) => hiddenSize % blocks === 0,
      },
      alpha: SEARCHED_ALPHA,
    },
    sizeFlag: 'rBlock',
    atRank: (rank, scale, { numBlocksPerRow = 2 }) => {
      const rBlock = rank / Number(numBlocksPerRow);
      if (!Number.isInteger(rBlock))
        throw new UserError(
          `--rank: expected multiples of --num-blocks-per-row ${numBlocksPerRow}, got ${rank}`,
          { rank },
        );
      return { rBlock, numBlocksPerRow, alpha: scale * rBlock };
    },
  },
);
