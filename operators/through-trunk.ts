import type { Tensor } from '@tensorflow/tfjs-core';
import { defer, from, lastValueFrom, type Observable } from 'rxjs';
import { packageVersion } from '../src/base/package.js';
import { dispose, tensor3d } from '../src/base/tfjs-core.js';
import type { Batch } from '../src/data/batch.js';
import { itemStamp } from '../src/data/images/item-stamp.js';
import type { SampleCache } from '../src/data/images/sample-cache.js';
import { noteSample, noteTrunk, sampleNotes } from '../src/data/load-notes.js';
import { type TargetRow, targetBytes, targetRows, targetTensor } from '../src/data/target-rows.js';
import type { BatchPlan, ImageItem, SamplePlan } from '../src/data/types.js';
import { engineInUse } from '../src/engine/engine.js';
import type { AdaptableVit } from '../src/model/vit/adaptable-vit.js';
import { tokenShape } from '../src/model/vit/config.js';
import { trunkDigest } from '../src/model/vit/trunk-digest.js';
import { fromBf16, toBf16 } from '../src/numeric/bf16.js';

/** Options of `throughTrunk`. */
export interface TrunkOptions {
  /** Where the output of the trunk is kept. */
  readonly cache: SampleCache;
  /** The targets of one sample. */
  readonly targets: TargetRow;
  /** What a batch is a function of beside its items and the model: sizes, ids of masks, augmentations. */
  readonly kind: string;
  /** Whether a sample differs with the epoch of its plan, as an augmented one does. Default false. */
  readonly random?: boolean;
  /** Keeps float32 instead of rounding to bfloat16: twice the room, and the numbers of a run without a cache. Default false. */
  readonly exact?: boolean;
}

/**
 * Loads batches as the output of the blocks in which a model trains nothing, in place of images: these run once for each
 * item and epoch of a plan, and later come from the cache, without decoding, augmentation or targets.
 *
 * The output is rounded to bfloat16, whether it comes from the cache or not, so that a run is the same wherever it was
 * stopped. Inputs are [batch, tokens, hidden]; the model takes them from the call of this on (`startAfter`). Give
 * plans a few epochs that take turns (`fixedViews`), or a run alone finds nothing again. Runs that share a cache, such as
 * the trials of a study on one backbone, share its batches, too: those that two of them want at once run once.
 *
 * @throws UserError where the model trains in its first block or its embedding.
 * @example
 * model.inject(lora({ rank: 4, layers: [8, 9, 10, 11] }), seed);
 * const targets = { shape: [224, 224] };
 * const through = throughTrunk(model, load, { cache: memoryCache(), targets, kind: 'pets at 224' });
 * prefetch(run.plans(train), through, { ahead: 2 }).pipe(concatLease((batch$) => batch$.pipe(trainStep(run))));
 */
export function throughTrunk<I extends ImageItem, Target extends Tensor>(
  model: AdaptableVit,
  load: (plan: BatchPlan<I>) => Observable<Batch<Tensor, Target>>,
  options: TrunkOptions,
): (plan: BatchPlan<I>) => Observable<Batch<Tensor, Target>> {
  const trunk = new Trunk<I, Target>(model, load, options);
  return (plan) => defer(() => from(trunk.batch(plan)));
}

/** The bytes of one sample: of the trunk's output and of its targets. */
type Row = readonly [Uint8Array, Uint8Array];

/** The rows of a batch, and the seconds in which the trunk ran for them. */
interface Rows {
  readonly rows: readonly Row[];
  readonly samples: Batch['plan']['samples'];
  readonly seconds: number;
}

/** Batches under way, by the keys of their samples: whoever wants the same ones waits for them. */
const underWay = new WeakMap<SampleCache, Map<string, Promise<Rows>>>();

class Trunk<I extends ImageItem, Target extends Tensor> {
  readonly #blocks: number;
  readonly #shape: readonly [number, number];
  readonly #lengths: readonly [number, number];
  readonly #stamps = new WeakMap<I, Promise<string>>();
  #function: Promise<string> | undefined;

  constructor(
    private readonly model: AdaptableVit,
    private readonly load: (plan: BatchPlan<I>) => Observable<Batch<Tensor, Target>>,
    private readonly options: TrunkOptions,
  ) {
    this.#blocks = model.trunkBlocks;
    model.startAfter(this.#blocks);
    this.#shape = tokenShape(model.config);
    this.#lengths = [(options.exact ? 4 : 2) * this.#shape[0] * this.#shape[1], targetBytes(options.targets)];
  }

  async batch(plan: BatchPlan<I>): Promise<Batch<Tensor, Target>> {
    const { cache } = this.options;
    const keys = await Promise.all(plan.samples.map((sample) => this.#key(sample)));
    const pending = underWay.get(cache) ?? new Map<string, Promise<Rows>>();
    underWay.set(cache, pending);
    const together = keys.join('\n');
    // The look into the cache is part of what is waited for: between a look and a later claim, another could finish.
    const found = pending.get(together) ?? this.#found(plan, keys).finally(() => pending.delete(together));
    pending.set(together, found);
    const { rows, samples, seconds } = await found;
    const whole = this.#assembled({ ...plan, samples: samples as BatchPlan<I>['samples'] }, rows);
    noteTrunk(whole, seconds);
    return whole;
  }

  /** The rows of a batch from the cache where it has all, else computed. */
  async #found(plan: BatchPlan<I>, keys: readonly string[]): Promise<Rows> {
    const started = performance.now();
    const known = await Promise.all(keys.map((key) => this.options.cache.get(key, this.#lengths)));
    if (!known.every((row) => row !== undefined)) return this.#computed(plan, keys);
    const seconds = (performance.now() - started) / 1000 / keys.length;
    for (const sample of plan.samples) noteSample(sample, { seconds, cache: 'hit' });
    return { rows: known as unknown as Row[], samples: plan.samples, seconds: 0 };
  }

  /** Loads a batch, runs the trunk on it, and keeps the results. */
  async #computed(plan: BatchPlan<I>, keys: readonly string[]): Promise<Rows> {
    const batch = await lastValueFrom(this.load(plan));
    const started = performance.now();
    const { samples } = batch.plan;
    const rows = await this.#bytes(batch);
    const seconds = (performance.now() - started) / 1000;
    // A sample that was left out, or cut into several, has no key that is its own.
    if (samples.length === keys.length)
      await Promise.all(
        rows.map(async (row, i) => {
          const kept = await this.options.cache.set(keys[i]!, row);
          const { seconds = 0 } = sampleNotes(samples[i]!) ?? {};
          noteSample(samples[i]!, { seconds, cache: kept === false ? 'full' : 'kept' });
        }),
      );
    return { rows, samples, seconds };
  }

  /** The trunk's output and the targets of a batch, which is freed. */
  async #bytes(batch: Batch<Tensor, Target>): Promise<Row[]> {
    const output = this.#run(batch);
    try {
      const values = (await output.data()) as Float32Array;
      const kept = this.options.exact ? values : toBf16(values);
      const bytes = new Uint8Array(kept.buffer as ArrayBuffer, kept.byteOffset, kept.byteLength);
      const [length] = this.#lengths;
      const targets = await targetRows(this.options.targets, batch.targets);
      return targets.map((row, i) => [bytes.subarray(i * length, (i + 1) * length), row]);
    } finally {
      dispose(output);
      batch.dispose();
    }
  }

  #run(batch: Batch<Tensor, Target>): Tensor {
    try {
      return this.model.trunk(batch.inputs, this.#blocks);
    } catch (error) {
      batch.dispose();
      throw error;
    }
  }

  #assembled(plan: BatchPlan<I>, rows: readonly Row[]): Batch<Tensor, Target> {
    const [tokens, hidden] = this.#shape;
    const values = new Float32Array(rows.length * tokens * hidden);
    rows.forEach(([{ buffer, byteOffset, byteLength }], i) => {
      const at = i * tokens * hidden;
      if (this.options.exact) values.set(new Float32Array(buffer, byteOffset, byteLength / 4), at);
      else fromBf16(new Uint16Array(buffer, byteOffset, byteLength / 2), values, at);
    });
    const inputs = tensor3d(values, [rows.length, tokens, hidden]);
    const targets = targetTensor<Target>(
      this.options.targets,
      rows.map(([, row]) => row),
    );
    return { plan, inputs, targets, dispose: () => dispose([inputs, targets]) };
  }

  async #key({ item, seed, epoch, index }: SamplePlan<I>): Promise<string> {
    const stamp = this.#stamps.get(item) ?? itemStamp(item);
    this.#stamps.set(item, stamp);
    this.#function ??= this.#describe();
    const { label } = item as { readonly label?: unknown };
    return JSON.stringify([
      await this.#function,
      await stamp,
      label,
      this.options.random ? [seed, epoch, index] : [],
    ]);
  }

  async #describe(): Promise<string> {
    const { exact = false, kind } = this.options;
    const { name, precision } = engineInUse();
    const digest = await trunkDigest(this.model, this.#blocks);
    return JSON.stringify([packageVersion(), name, precision, digest, this.#blocks, exact, kind]);
  }
}
