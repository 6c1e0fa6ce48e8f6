import { z } from 'zod';
import { add, matMul, mul } from '../base/tfjs-core.js';
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
import { defineAdapter, placeFlags, placeOf, SEARCHED_ALPHA, SEARCHED_RANK } from './adapter-kind.js';

/** Options of `serialLora`. */
export interface SerialLoraOptions extends AdapterOptions {
  readonly rank: number;
  /** The change is scaled by alpha / rank. Default: rank, that is, no scaling. */
  readonly alpha?: number;
  /** One pair for all targets of a block (the paper's form, default), or one for each (upstream's code). */
  readonly shared?: boolean;
}

/**
 * Serial LoRA: a low-rank map before the projections, x̃ = x + (α/r)·(x·A)·B, and q, k, v = x̃·W + b.
 *
 * A [in, r] starts uniform in ±1/√in, B [r, in] zero. Shared, a block has one pair and computes x̃ once. It
 * applies to maps that read the block's normalised input, query, key and value: all three by default.
 * The merged weight is (I + (α/r)AB)·W.
 *
 * @example
 * serialLora({ rank: 16 });
 */
export function serialLora(options: SerialLoraOptions): Adapter {
  const { rank, alpha = rank, shared = true, dropout: rate = 0 } = options;
  const targets = checkOptions({ ...options, targets: options.targets ?? ['query', 'key', 'value'] });
  checkCount('rank', rank);
  checkFinite('alpha', alpha);
  const scale = alpha / rank;
  // What a shared pair serves must read the same input.
  const scope = (site: Site) =>
    shared && site.target !== 'output' && !site.target.startsWith('fc')
      ? `layers.${site.layer}`
      : `layers.${site.layer}.${site.target}`;

  return {
    name: 'serial_lora',
    settings: { rank, alpha, shared, dropout: rate, targets },
    targets,
    ...placeOf(options),
    parameters: (site) => {
      checkRank('rank', rank, site);
      return [
        { name: `${scope(site)}.serial_A`, shape: [site.inputs, rank], init: 1 / Math.sqrt(site.inputs) },
        { name: `${scope(site)}.serial_B`, shape: [rank, site.inputs], init: 0 },
      ];
    },
    apply: (site, x, base, { own, once, random }) => {
      const before = once(`${scope(site)}.serial`, () => {
        const low = mul(linear(dropout(x, rate, random), own('serial_A')), scale);
        return add(x, linear(low, own('serial_B')));
      });
      return { x: before, ...base };
    },
    merged: (_site, weight, own) =>
      add(weight, mul(matMul(own('serial_A'), matMul(own('serial_B'), weight)), scale)),
  };
}

/** Serial LoRA in the catalogue. */
export const serialLoraEntry = defineAdapter(
  (settings) => serialLora(settings as unknown as SerialLoraOptions),
  {
    description: 'with Serial LoRA',
    flags: {
      rank: z.int().min(1).default(4).describe('rank of the map'),
      perProjection: z
        .boolean()
        .default(false)
        .describe('one map for each projection instead of one for all three'),
      ...placeFlags,
      alpha: z.number().gt(0).optional().describe('scale of the map, as alpha / rank; default: no scaling'),
      targets: placeFlags.targets.default(['query', 'key', 'value']),
    },
    ignores: 'Serial LoRA has no blocks; --rank says its size',
    settings: ({ perProjection, adapterDropout: dropout, ...flags }) => ({
      ...flags,
      shared: !perProjection,
      dropout,
    }),
    flagsOf: ({ shared, dropout: adapterDropout, ...flags }) => ({
      ...flags,
      perProjection: !shared,
      adapterDropout,
    }),
    search: { rank: SEARCHED_RANK, alpha: SEARCHED_ALPHA },
    sizeFlag: 'rank',
    atRank: (rank, scale) => ({ rank, alpha: scale * rank }),
    // One alpha for all is LoRA's: this map is not scaled.
    inStudy: (flags) => ({ ...flags, alpha: flags['rank'] }),
  },
);
