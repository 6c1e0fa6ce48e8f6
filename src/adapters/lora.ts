import type { Tensor } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { add, concat, div, matMul, mul, neg, sqrt, square, sum } from '../base/tfjs-core.js';
import { frozen } from '../engine/frozen.js';
import { dropout } from '../engine/ops/dropout.js';
import { linear } from '../engine/ops/linear.js';
import { type LinearMap, linears } from '../engine/ops/linears.js';
import type { LowRank } from '../engine/ops/low-rank.js';
import type { Adapter, AdapterParameter, MapInputs, PeftForm, Site } from '../model/adapter.js';
import { siteName } from '../model/vit/adapter-sites.js';
import { defineAdapter, placeFlags, placeOf, SEARCHED_ALPHA, SEARCHED_RANK } from './adapter-kind.js';
import { BIASES, type LoraOptions, loraAt, loraSettings, trainsBias } from './lora-options.js';
import { LORA_STARTS, loraInits, principalInputs, startsInWeight } from './lora-start.js';
import { patternFlag } from './pattern-flag.js';

/**
 * LoRA (Hu et al. 2022, "LoRA: Low-Rank Adaptation", eq. 3): y = x·W + b + (α/r)·(x·A)·B.
 *
 * A [in, r] starts uniform in ±1/√in (Kaiming with a = √5), B [r, out] zero. With `dora` the direction of each output
 * column of W + (α/r)AB is scaled to a learned magnitude m [out], which starts at the column's own norm; the
 * norm counts as a constant in the gradient (DoRA, section 4.3).
 *
 * With `init: 'pissa'` or `'olora'` A·B starts as a part A₀·B₀ of the weight, and the change is (α/r)(A·B − A₀·B₀): the weight
 * itself stays, so that the adapter can be switched off, merged and resumed exactly.
 *
 * @example
 * lora({ rank: 16, alpha: 16, targets: ['query', 'value'] });
 */
export function lora(options: LoraOptions): Adapter {
  const { rank, alpha, rsLora, dora, dropout: rate, targets, ...more } = loraSettings(options);
  const { init, lrRatio, bias, given } = more;
  const inWeight = startsInWeight(init);
  const lowRank = (site: Site, own: (part: string) => Tensor): LowRank => {
    const [a, b] = inWeight ? withStart(own) : [own('lora_A'), own('lora_B')];
    return { a, b, scale: loraAt(options, site).scale };
  };
  const sumOf = (site: Site, weight: Tensor, own: (part: string) => Tensor) => {
    const { a, b, scale } = lowRank(site, own);
    return add(weight, mul(matMul(a as Tensor, b), scale));
  };

  return {
    name: dora ? 'dora' : 'lora',
    settings: { rank, alpha, rsLora, dora, dropout: rate, targets, ...given },
    targets,
    ...placeOf(options),
    peft: peftForm(options),
    ...trainsBias(bias, options, targets),
    ...(lrRatio !== 1 && { trainedRate: lrRatio }),
    parameters: (site) => loraParameters(options, site),
    ...(init === 'eva' && {
      start: (site: Site, inputs: MapInputs) => ({
        lora_A: principalInputs({ ...site, ...loraAt(options, site) }, inputs),
      }),
    }),
    apply: (site, x, base, { own, random }) => {
      const change = lowRank(site, own);
      const dropped = dropout(x, rate, random);
      if (!dora && dropped === x) return { x, ...base, lowRank: change };
      const low = mul(linear(dropped, change.a), change.scale);
      if (!dora) return add(alone({ x, ...base }), linear(low, change.b));
      const direction = add(alone({ x, weight: base.weight, frozen: base.frozen }), linear(low, change.b));
      const norms = frozen(() => columnNorms(sumOf(site, base.weight, own)));
      return add(mul(direction, div(own('lora_magnitude'), norms)), base.bias);
    },
    merged: (site, weight, own) => {
      const sum = sumOf(site, weight, own);
      return dora ? mul(sum, div(own('lora_magnitude'), columnNorms(sum))) : sum;
    },
    ...(!dora && { lowRank }),
  };
}

/** The parameters of LoRA at a map. */
function loraParameters(options: LoraOptions, site: Site): AdapterParameter[] {
  const { dora, init, lrRatio, freezeA } = loraSettings(options);
  const rated = lrRatio !== 1 && { rate: lrRatio };
  const inWeight = startsInWeight(init);
  const { rank, scale } = loraAt(options, site);
  const { inputs, outputs } = site;
  const inits = loraInits(init, { inputs, outputs, rank, scale });
  const parameter = (part: string, shape: number[], init: AdapterParameter['init']) => ({
    name: `${siteName(site)}.${part}`,
    shape,
    init,
  });
  const a = parameter('lora_A', [inputs, rank], inits.a);
  const b = parameter('lora_B', [rank, outputs], inits.b);
  return [
    { ...a, ...(freezeA && { buffer: true }) },
    { ...b, ...rated },
    ...(dora ? [{ ...parameter('lora_magnitude', [outputs], columnNorms), ...rated }] : []),
    ...(inWeight
      ? [
          { ...a, name: `${siteName(site)}.start_A`, buffer: true },
          { ...b, name: `${siteName(site)}.start_B`, buffer: true },
        ]
      : []),
  ];
}

/** A map that runs by itself. */
const alone = (map: LinearMap) => linears([map])[0]!;

/** A beside A₀ and B above −B₀: their product is A·B − A₀·B₀. */
function withStart(own: (part: string) => Tensor): [a: Tensor, b: Tensor] {
  return [concat([own('lora_A'), own('start_A')], 1), concat([own('lora_B'), neg(own('start_B'))], 0)];
}

/** PEFT's form. What started in the weight is written as PEFT converts it: as LoRA of twice the rank on the whole weight. */
function peftForm(options: LoraOptions): PeftForm {
  const { rank, alpha, rsLora, dora, dropout, init, bias } = loraSettings(options);
  const twice = startsInWeight(init);
  const written = (value: { rank: number; alpha: number }) =>
    twice ? { rank: 2 * value.rank, alpha: value.alpha * (rsLora ? Math.SQRT2 : 2) } : value;
  const usual = written({ rank, alpha });
  return {
    config: {
      peft_type: 'LORA',
      r: usual.rank,
      lora_alpha: usual.alpha,
      lora_dropout: dropout,
      use_rslora: rsLora,
      use_dora: dora,
      bias,
      fan_in_fan_out: false,
      init_lora_weights: true,
    },
    keys: {
      lora_A: { key: 'lora_A.weight', transposed: true },
      lora_B: { key: 'lora_B.weight', transposed: true },
      ...(dora && { lora_magnitude: { key: 'lora_magnitude_vector' } }),
    },
    patterns: (site) => {
      const here = written(loraAt(options, site));
      return {
        rank_pattern: { value: here.rank, usual: usual.rank },
        alpha_pattern: { value: here.alpha, usual: usual.alpha },
      };
    },
    ...(twice && {
      tensors: (own) => {
        const [lora_A, lora_B] = withStart(own);
        return { lora_A, lora_B };
      },
    }),
  };
}

const loraFlags = {
  rank: z.int().min(1).default(4).describe('rank of the update'),
  rsLora: z.boolean().default(false).describe('scale by alpha / √rank'),
  dora: z.boolean().default(false).describe('learn magnitudes and directions separately (DoRA)'),
  ...placeFlags,
  init: z
    .enum(LORA_STARTS)
    .optional()
    .describe(
      'start of the factors: pissa and olora begin with a part of the weight, eva with what the maps read in the first training batches; default: kaiming',
    ),
  lrRatio: z
    .number()
    .gt(0)
    .optional()
    .describe('learning rate of B as a multiple of that of A (LoRA+), such as 16; default: 1'),
  freezeA: z.boolean().optional().describe('train B alone (LoRA-FA); default: no'),
  bias: z
    .enum(BIASES)
    .optional()
    .describe(
      'biases of the backbone that train, too: all, or lora_only = of the adapted maps; default: none',
    ),
  rankPattern: patternFlag('ranks'),
  alphaPattern: patternFlag('alphas'),
};

const loraKind = {
  description: 'with LoRA',
  flags: loraFlags,
  ignores: 'LoRA has no blocks; --rank says its size',
  search: { rank: SEARCHED_RANK, alpha: SEARCHED_ALPHA },
  sizeFlag: 'rank',
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

const { atRank: _alphaByRank, ...rsLoraKind } = loraKind;

/** rsLoRA in the catalogue: LoRA that scales by alpha / √rank (Kalajdzievski 2023). */
export const rsLoraEntry = defineAdapter(
  (settings) => ({ ...lora({ ...(settings as unknown as LoraOptions), rsLora: true }), name: 'rslora' }),
  {
    ...rsLoraKind,
    description: 'with rsLoRA',
    flags: { ...loraFlags, rsLora: loraFlags.rsLora.default(true) },
    ignores: 'rsLoRA has no blocks; --rank says its size',
  },
);

function columnNorms(weight: Tensor): Tensor {
  return sqrt(sum(square(weight), 0));
}
