import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import {
  add,
  concat,
  matMul,
  mul,
  pad,
  sub,
  Tensor as TensorClass,
  tensor,
  tidy,
} from '../base/tfjs-core.js';
import type { Site } from '../model/adapter.js';
import type { AdaptableVit } from '../model/vit/adaptable-vit.js';
import { siteName } from '../model/vit/adapter-sites.js';
import type { HeldAdapter } from '../model/vit/held-adapter.js';
import { topSingular } from '../numeric/top-singular.js';
import { lora } from './lora.js';
import { placeOfMaps } from './place-of-maps.js';

/** How adapters are combined, by PEFT's names; see `combineAdapters`. */
export const COMBINATIONS = ['cat', 'linear', 'svd'] as const;
/** The name of such a way. */
export type Combination = (typeof COMBINATIONS)[number];

/** Options of `combineAdapters`. */
export interface CombineOptions {
  /** Default `cat`. */
  readonly combination?: Combination;
  /** The rank of `svd`. Default: the highest of the adapters'. */
  readonly rank?: number;
}

/** An adapter at a map, with its weight in the combination. */
interface Part {
  readonly held: HeldAdapter;
  readonly weight: number;
}

/**
 * Adds an adapter that is a weighted sum of others, and makes it the active one: LoRA, as PEFT's `add_weighted_adapter` makes
 * it.
 *
 * - `cat` is exact: the factors side by side, of the sum of the ranks.
 * - `svd` is the best approximation of the sum at a rank, and takes any adapters that can be merged.
 * - `linear` adds the factors themselves, √(w·scale)·A and √(w·scale)·B; it is rough, since products of different
 *   adapters come in. It needs equal ranks.
 *
 * Weights may be negative. A map that only some of them change gets the change of these.
 *
 * @throws UserError for adapters that cannot be combined in this way, and for a name that is taken.
 * @example
 * combineAdapters(model, 'both', { pets: 0.7, birds: 0.3 });
 */
export function combineAdapters<M extends AdaptableVit>(
  model: M,
  name: string,
  weights: Readonly<Record<string, number>>,
  { combination = 'cat', rank }: CombineOptions = {},
): M {
  const parts = Object.entries(weights).map(([from, weight]): Part => {
    if (!Number.isFinite(weight))
      throw new UserError(`${from}: expected a finite weight, got ${weight}`, { weight });
    const held = model.heldAdapter(from);
    if (held.adapter.trains)
      throw new UserError(
        `${from}: expected an adapter that changes maps alone, got ${held.adapter.name}, which trains parameters of the backbone`,
        { adapter: from },
      );
    return { held, weight };
  });
  if (parts.length === 0)
    throw new UserError('combineAdapters: expected adapters and their weights, got none');
  const sites = new Map(parts.flatMap(({ held }) => [...held.sites]));
  const present = (site: Site) => parts.filter(({ held }) => held.sites.has(siteName(site)));
  const made = [...sites.values()].map((site) => ({
    site,
    ...tidy(() => COMBINE[combination](model, site, present(site), rank)),
  }));
  const most = Math.max(...made.map(({ a }) => a.shape[1]!));
  const place = placeOfMaps([...sites.values()], model.config.num_hidden_layers);
  try {
    model.inject(lora({ ...place, rank: most }), undefined, { name });
    for (const { site, a, b } of made) {
      const missing = most - a.shape[1]!;
      model.parameters.set(
        `${siteName(site)}.lora_A`,
        tidy(() =>
          pad(a, [
            [0, 0],
            [0, missing],
          ]),
        ),
      );
      model.parameters.set(
        `${siteName(site)}.lora_B`,
        tidy(() =>
          pad(b, [
            [0, missing],
            [0, 0],
          ]),
        ),
      );
    }
  } finally {
    for (const { a, b } of made) {
      a.dispose();
      b.dispose();
    }
  }
  return model;
}

/** A [in, r] and B [r, out] of a combination at a map. */
type Combine = (
  model: AdaptableVit,
  site: Site,
  parts: readonly Part[],
  rank: number | undefined,
) => { readonly a: Tensor; readonly b: Tensor };

const COMBINE: Readonly<Record<Combination, Combine>> = {
  cat: (_model, site, parts) => {
    const factors = parts.map((part) => factorsOf(part, site, 'cat'));
    return {
      a: concat(
        factors.map(({ a, scale }) => mul(a, scale)),
        1,
      ),
      b: concat(
        factors.map(({ b }) => b),
        0,
      ),
    };
  },
  linear: (_model, site, parts) => {
    const factors = parts.map((part) => factorsOf(part, site, 'linear'));
    const ranks = new Set(factors.map(({ a }) => a.shape[1]));
    if (ranks.size > 1)
      throw new UserError(
        `linear: expected adapters of one rank, got ${[...ranks].join(' and ')} at ${siteName(site)}; combine them by cat or svd`,
      );
    const sum = (terms: Tensor[]) => terms.reduce((total, term) => add(total, term));
    return {
      a: sum(factors.map(({ a, scale }) => mul(a, Math.sign(scale) * Math.sqrt(Math.abs(scale))))),
      b: sum(factors.map(({ b, scale }) => mul(b, Math.sqrt(Math.abs(scale))))),
    };
  },
  svd: (model, site, parts, asked) => {
    const change = parts
      .map((part) => mul(changeOf(model, part, site), part.weight))
      .reduce((total, each) => add(total, each));
    const { inputs, outputs } = site;
    const ranks = parts.map(({ held }) =>
      Number(held.adapter.lowRank?.(site, held.own(site)).a.shape[1] ?? 0),
    );
    const rank = asked ?? Math.max(...ranks);
    if (!Number.isInteger(rank) || rank < 1 || rank > Math.min(inputs, outputs))
      throw new UserError(
        `rank: expected a rank from 1 to ${Math.min(inputs, outputs)} for svd, got ${asked ?? 'none'}`,
        { rank },
      );
    const { values, left, right } = topSingular(change.dataSync(), inputs, outputs, rank);
    return {
      a: tensor(
        Float32Array.from({ length: inputs * rank }, (_, at) => left[at % rank]![Math.floor(at / rank)]!),
        [inputs, rank],
      ),
      b: tensor(
        Float32Array.from({ length: rank * outputs }, (_, at) => {
          const k = Math.floor(at / outputs);
          return values[k]! * right[k]![at % outputs]!;
        }),
        [rank, outputs],
      ),
    };
  },
};

/** The factors of an adapter at a map; the scale includes its weight. */
function factorsOf({ held, weight }: Part, site: Site, combination: Combination) {
  const { adapter, name } = held;
  if (!adapter.lowRank)
    throw new UserError(
      `${combination}: expected adapters of LoRA, got ${adapter.name} (${name}); combine it by svd`,
      { adapter: name },
    );
  const { a, b, scale } = adapter.lowRank(site, held.own(site));
  return { a, b, scale: scale * weight };
}

/** What an adapter adds to the weight of a map. */
function changeOf(model: AdaptableVit, { held }: Part, site: Site): Tensor {
  const { adapter, name } = held;
  const own = held.own(site);
  if (adapter.lowRank) {
    const { a, b, scale } = adapter.lowRank(site, own);
    return mul(matMul(a as Tensor, b), scale);
  }
  const [weight, bias] = ['weight', 'bias'].map((part) => model.parameters.get(`${siteName(site)}.${part}`));
  const merged = adapter.merged?.(site, weight!, own, bias!);
  if (!(merged instanceof TensorClass))
    throw new UserError(
      `svd: expected adapters that change weights alone and can be merged, got ${adapter.name} (${name})`,
      { adapter: name },
    );
  return sub(merged, weight!);
}
