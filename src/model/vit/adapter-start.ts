import type { Tensor } from '@tensorflow/tfjs-core';
import { keep, matMul, mean, reshape, sub } from '../../base/tfjs-core.js';
import { topSingular } from '../../numeric/top-singular.js';
import type { MapInputs } from '../adapter.js';
import type { AdaptableVit } from './adaptable-vit.js';
import { siteName } from './adapter-sites.js';

/** Mean and scatter of the rows of one map's inputs, in double precision. */
class Moments implements MapInputs {
  rows = 0;
  #mean = new Float64Array();
  /** Σ (x − mean)(x − mean)ᵀ, row-major. */
  #scatter = new Float64Array();
  #axes: readonly Float64Array[] = [];

  /** Adds rows by their own mean and scatter (Chan, Golub & LeVeque 1979, "Updating formulae", eq. 2.1). */
  add(rows: number, mean: ArrayLike<number>, scatter: ArrayLike<number>): void {
    const width = mean.length;
    if (this.rows === 0) {
      this.#mean = new Float64Array(width);
      this.#scatter = new Float64Array(width * width);
    }
    const all = this.rows + rows;
    const apart = Float64Array.from(mean, (x, i) => x - this.#mean[i]!);
    const weight = (this.rows * rows) / all;
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++)
        this.#scatter[i * width + j]! += scatter[i * width + j]! + weight * apart[i]! * apart[j]!;
    apart.forEach((x, i) => (this.#mean[i]! += (x * rows) / all));
    this.rows = all;
    this.#axes = [];
  }

  axes(count: number): readonly Float64Array[] {
    const width = this.#mean.length;
    if (this.#axes.length < count)
      this.#axes = topSingular(this.#scatter, width, width, count).right.map(pointed);
    return this.#axes.slice(0, count);
  }
}

/** A vector or its negative, so that its largest element is positive. */
function pointed(vector: Float64Array): Float64Array {
  const largest = vector.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
  return largest < 0 ? vector.map((x) => -x) : vector;
}

/**
 * Starts the active adapter of a model from data, where it asks for that (`lora({ init: 'eva' })`): batch by batch it takes
 * in what the adapted maps read, and then sets the adapter's parameters. A training recipe does so from the first training
 * batches; a resumed run has the parameters in its checkpoint.
 *
 * The result depends on the batches alone, not on their order but for rounding. Until `finish` it holds a matrix of
 * inputs × inputs for each map with inputs of its own.
 *
 * @example
 * const start = new AdapterStart(model.inject(lora({ rank: 4, init: 'eva' }), 42));
 * await lastValueFrom(batch$.pipe(concatMap(({ inputs }) => start.add(inputs))));
 * start.finish();
 */
export class AdapterStart {
  /** By the names of the maps; maps that read the same tensor share theirs. */
  readonly #moments = new Map<string, Moments>();

  constructor(private readonly model: AdaptableVit) {}

  /** Whether the active adapter waits for data: it starts from them, and its parameters have not been set. */
  get needed(): boolean {
    return this.#held?.waits ?? false;
  }

  /** Takes in a batch of normalised images [batch, height, width, 3], or of the trunk's output. */
  async add(images: Tensor): Promise<void> {
    const sites = this.#held?.sites ?? new Map();
    const seen = new Map<Tensor, { moments: Moments; rows: number; mean: Tensor; scatter: Tensor }>();
    this.model.watchMaps(images, (place, x) => {
      const name = siteName(place);
      if (!sites.has(name)) return;
      const known = seen.get(x);
      const moments = known?.moments ?? this.#moments.get(name) ?? new Moments();
      this.#moments.set(name, moments);
      if (!known) seen.set(x, { moments, ...measured(x) });
    });
    for (const { moments, rows, mean, scatter } of seen.values()) {
      moments.add(rows, await mean.data(), await scatter.data());
      mean.dispose();
      scatter.dispose();
    }
  }

  /** Sets the adapter's parameters. @throws UserError for too little data. */
  finish(): void {
    for (const site of this.#held?.sites.values() ?? [])
      this.#held!.start(site, this.#moments.get(siteName(site)) ?? new Moments());
    this.#moments.clear();
  }

  get #held() {
    const name = this.model.activeAdapter;
    return name === undefined ? undefined : this.model.heldAdapter(name);
  }
}

/** The mean of the rows of a tensor [..., width], and the scatter about it. */
function measured(x: Tensor): { rows: number; mean: Tensor; scatter: Tensor } {
  const width = x.shape.at(-1)!;
  const rows = x.size / width;
  const flat = reshape(x, [rows, width]);
  const centre = mean(flat, 0);
  const apart = sub(flat, centre);
  return { rows, mean: keep(centre), scatter: keep(matMul(apart, apart, true)) };
}
