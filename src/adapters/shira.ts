import type { Tensor } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { add, tensor } from '../base/tfjs-core.js';
import { type SparsePlaces, sparseMatrix, sparsePlaces } from '../engine/ops/sparse.js';
import { type Adapter, type AdapterOptions, checkCount, checkOptions, type Site } from '../model/adapter.js';
import { siteName } from '../model/vit/adapter-sites.js';
import type { Random } from '../random/random-stream.js';
import { defineAdapter, placeOf, SEARCHED_RANK, unscaledPlaceFlags } from './adapter-kind.js';

/** Options of `shira`. */
export interface ShiraOptions extends Omit<AdapterOptions, 'dropout'> {
  /** r: r·(in + out) elements of a weight train, as many as LoRA of that rank has parameters. */
  readonly rank: number;
}

/**
 * SHiRA (Bhardwaj et al. 2024, "Sparse High Rank Adapters", arXiv:2406.13175): y = x·(W + S) + b, with S zero but for
 * r·(in + out) elements, which train; the random mask of the paper.
 *
 * Which elements these are is drawn from the seed and stays; their values start at zero. The change may have full rank. Its
 * gradient costs that of the whole weight.
 *
 * @example
 * shira({ rank: 4 });
 */
export function shira(options: ShiraOptions): Adapter {
  const { rank } = options;
  const targets = checkOptions(options);
  checkCount('rank', rank);
  const changed = (site: Site, weight: Tensor, own: (part: string) => Tensor) =>
    add(weight, sparseMatrix(own('shira_values'), placesOf(own('shira_places'), site)));
  return {
    name: 'shira',
    settings: { rank, targets },
    targets,
    ...placeOf(options),
    peft: {
      config: {
        peft_type: 'SHIRA',
        r: rank,
        mask_type: 'random',
        random_seed: null,
        fan_in_fan_out: false,
        init_weights: true,
      },
      keys: { shira_values: { key: 'shira_weight' }, shira_places: { key: 'shira_indices' } },
    },
    parameters: (site) => {
      const count = countAt(rank, site);
      return [
        { name: `${siteName(site)}.shira_values`, shape: [count], init: 0 },
        {
          name: `${siteName(site)}.shira_places`,
          shape: [2, count],
          dtype: 'int32',
          buffer: true,
          init: (_weight, random) => tensor(drawn(count, site, random), [2, count], 'int32'),
        },
      ];
    },
    apply: (site, x, { weight, bias }, { own }) => ({ x, weight: changed(site, weight, own), bias }),
    merged: changed,
  };
}

function countAt(rank: number, { target, inputs, outputs }: Site): number {
  const [count, all] = [rank * (inputs + outputs), inputs * outputs];
  if (count <= all) return count;
  throw new UserError(
    `rank: expected at most ${Math.floor(all / (inputs + outputs))}, with which all elements of ${target} train, got ${rank}; see --rank`,
    { rank },
  );
}

/** Different elements, sorted: their outputs, then their inputs, as PEFT's `shira_indices` has them. */
function drawn(count: number, { inputs, outputs }: Site, random: Random): Int32Array {
  const all = Int32Array.from({ length: inputs * outputs }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(random() * (all.length - i));
    [all[i], all[other]] = [all[other]!, all[i]!];
  }
  const chosen = all.subarray(0, count).sort();
  const rows = chosen.map((at) => Math.floor(at / inputs));
  return Int32Array.of(...rows, ...chosen.map((at) => at % inputs));
}

/** Places by the tensor that holds them, which is read once. */
const read = new WeakMap<Tensor, SparsePlaces>();

function placesOf(stored: Tensor, { target, inputs, outputs }: Site): SparsePlaces {
  const known = read.get(stored);
  if (known) return known;
  const count = stored.shape[1]!;
  const numbers = stored.dataSync() as Int32Array;
  const at = Int32Array.from({ length: count }, (_, i) => numbers[count + i]! * outputs + numbers[i]!);
  const places = sparsePlaces(at, [inputs, outputs]);
  if (at.some((place, i) => place < 0 || place >= inputs * outputs || places.value[place] !== i + 1))
    throw new UserError(
      `shira: expected different elements of ${target} [${inputs}, ${outputs}], got one outside of it or one twice; load the adapter again`,
    );
  read.set(stored, places);
  return places;
}

/** SHiRA in the catalogue. */
export const shiraEntry = defineAdapter((settings) => shira(settings as unknown as ShiraOptions), {
  description: 'with SHiRA',
  flags: {
    rank: z.int().min(1).default(4).describe('size: rank · (inputs + outputs) elements of each weight train'),
    ...noDropout(unscaledPlaceFlags),
  },
  ignores: 'SHiRA has neither a scale, dropout nor blocks; --rank says its size',
  search: { rank: SEARCHED_RANK },
  sizeFlag: 'rank',
});

function noDropout({ adapterDropout: _none, ...flags }: typeof unscaledPlaceFlags) {
  return flags;
}
