import assert from 'node:assert/strict';
import { memory } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  concatMap,
  delay,
  filter,
  from,
  lastValueFrom,
  map,
  type OperatorFunction,
  of,
  take,
  toArray,
} from 'rxjs';
import { augment } from '../../operators/augment.js';
import { batch } from '../../operators/batch.js';
import { concatLease } from '../../operators/concat-lease.js';
import { decode } from '../../operators/decode.js';
import { IMAGENET, normalize } from '../../operators/normalize.js';
import { prefetch } from '../../operators/prefetch.js';
import { batchPlans } from '../../src/data/batch-plans.js';
import { horizontalFlip } from '../../src/data/images/augmentations/geometric.js';
import { coarseDropout } from '../../src/data/images/augmentations/photometric.js';
import type { SampleCache } from '../../src/data/images/sample-cache.js';
import type { BatchPlan, MaskedSample, SamplePlan } from '../../src/data/types.js';

const SIZE = 2;
const pairs = Array.from({ length: 10 }, (_, i) => ({
  stem: `${i}`,
  image: `/none/${i}`,
  mask: `/none/${i}`,
}));
const plansOf = (count: number): SamplePlan[] =>
  pairs.slice(0, count).map((pair, index) => ({ item: pair, seed: 1, epoch: 1, index }));

/** Stands in for files: sample i is all bytes i, after `ticks(i)`; a negative number of ticks fails. */
function source(ticks: (i: number) => number) {
  const running = { now: 0, most: 0 };
  const cache: SampleCache = {
    get: async (key) => {
      const i = Number(/none\/(\d+)/.exec(key)![1]);
      running.most = Math.max(running.most, ++running.now);
      for (let tick = 0; tick < Math.abs(ticks(i)); tick++) await Promise.resolve();
      running.now--;
      if (ticks(i) < 0) throw new Error(`sample ${i}`);
      return [new Uint8Array(SIZE * SIZE * 3).fill(i), new Uint8Array(SIZE * SIZE).fill(i)];
    },
    set: async () => {},
  };
  return { running, cache };
}

describe('decode', () => {
  it('keeps the order and the bound, and raises the first error in its turn', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -2, max: 12 }), { maxLength: 10 }),
        fc.integer({ min: 1, max: 5 }),
        async (ticks, concurrency) => {
          const { running, cache } = source((i) => ticks[i]!);
          const seen: number[] = [];
          const outcome = await new Promise<string>((resolve) =>
            from(plansOf(ticks.length))
              .pipe(decode(SIZE, { cache, concurrency }))
              .subscribe({
                next: ({ mask }) => seen.push(mask[0]!),
                error: (error: Error) => resolve(error.message),
                complete: () => resolve('complete'),
              }),
          );
          const failing = ticks.findIndex((t) => t < 0);
          assert.equal(outcome, failing < 0 ? 'complete' : `sample ${failing}`);
          assert.deepEqual(seen, [...ticks.keys()].slice(0, failing < 0 ? undefined : failing));
          assert.ok(running.most <= concurrency);
        },
      ),
    );
  });

  it('names the file of a sample that cannot be read', async () => {
    await assert.rejects(
      lastValueFrom(from(plansOf(1)).pipe(decode(SIZE))),
      /\/none\/0: expected an? (image|mask), got nothing there/,
    );
  });
});

describe('normalize and batch', () => {
  const load = (plan: BatchPlan) =>
    from(plan.samples).pipe(
      decode(SIZE, { cache: source(() => 1).cache }),
      augment(horizontalFlip()),
      normalize(IMAGENET),
      batch(plan),
    );

  it('make tensors of the samples, in order, as torchvision normalises', async () => {
    const [plan] = batchPlans(pairs, { batchSize: 3, seed: 1, shuffle: false });
    const loaded = await lastValueFrom(load(plan!));
    assert.deepEqual(loaded.inputs.shape, [3, SIZE, SIZE, 3]);
    assert.deepEqual([loaded.targets.shape, loaded.targets.dtype], [[3, SIZE, SIZE], 'int32']);
    const images = loaded.inputs.dataSync();
    const masks = loaded.targets.dataSync();
    for (let i = 0; i < 3; i++) {
      assert.equal(masks[i * SIZE * SIZE], i);
      for (let c = 0; c < 3; c++) {
        const expected = (i / 255 - [0.485, 0.456, 0.406][c]!) / [0.229, 0.224, 0.225][c]!;
        assert.ok(Math.abs(images[i * SIZE * SIZE * 3 + c]! - expected) < 1e-6);
      }
    }
    loaded.dispose();
  });

  it('carry the plans of the samples that came: a filtered one is missing, and a tile has its picture’s', async () => {
    const [plan] = batchPlans(pairs, { batchSize: 4, seed: 1, shuffle: false });
    const decoded = () => from(plan!.samples).pipe(decode(SIZE, { cache: source(() => 1).cache }));
    const stems = async (change: OperatorFunction<MaskedSample, MaskedSample>) => {
      const made = await lastValueFrom(decoded().pipe(change, normalize(IMAGENET), batch(plan!)));
      const masks = await made.targets.data();
      made.dispose();
      const rows = Array.from({ length: made.targets.shape[0] }, (_, i) => `${masks[i * SIZE * SIZE]}`);
      const { samples } = made.plan;
      assert.deepEqual({ ...made.plan, samples: plan!.samples }, plan);
      assert.deepEqual(
        samples.map(({ item }) => item.stem),
        rows,
      );
      return rows.join();
    };
    assert.equal(await stems(filter(({ plan }) => plan.item.stem !== '1')), '0,2,3');
    assert.equal(await stems(concatMap((sample) => of(sample, sample, sample))), '0,0,0,1,1,1,2,2,2,3,3,3');
    await assert.rejects(stems(filter(() => false)), {
      name: 'UserError',
      message: /^batch: expected at least one of the 4 samples of batch 0 in epoch 1, got none/,
    });
  });

  it('refuses samples of two sizes, and bytes', async () => {
    const sample = (width: number, image: unknown = new Float32Array(width * 3)) => ({
      plan: plansOf(1)[0]!,
      width,
      height: 1,
      image: image as Float32Array,
      mask: new Uint8Array(width),
    });
    const [plan] = batchPlans(pairs, { batchSize: 2, seed: 1 });
    const refuses = (message: RegExp, ...samples: MaskedSample<Float32Array>[]) =>
      assert.rejects(lastValueFrom(of(...samples).pipe(batch(plan!))), { name: 'UserError', message });
    await refuses(/one size, got 2×1 and 1×1/, sample(2), sample(1));
    await refuses(/normalised images, got bytes/, sample(2), sample(2, new Uint8Array(6)));
  });

  it('refuse samples that are normalised already, and a deviation of 0 or a missing channel', async () => {
    const floats = {
      plan: plansOf(1)[0]!,
      width: 1,
      height: 1,
      image: new Float32Array(3),
      mask: new Uint8Array(1),
    };
    const refuses = (operator: OperatorFunction<MaskedSample, unknown>, message: RegExp) =>
      assert.rejects(lastValueFrom(of(floats as unknown as MaskedSample).pipe(operator)), {
        name: 'UserError',
        message,
      });
    await refuses(normalize(IMAGENET), /expected bytes, got a normalised image; normalise once/);
    for (const transform of [coarseDropout({ p: 0 }), horizontalFlip({ p: 1 })])
      await refuses(augment(transform), /expected bytes, got .*; put augment\(…\) before normalize\(…\)/);
    for (const std of [[0.5, 0, 0.5], [0.5], [0.5, 0.5, Number.NaN]])
      assert.throws(() => normalize({ mean: [0.5, 0.5, 0.5], std }), {
        name: 'UserError',
        message: /a deviation above 0/,
      });
  });

  it('leave no tensor behind, at the end and when the stream is left early', async () => {
    const before = memory().numTensors;
    const alive: number[] = [];
    const run = (count: number) =>
      lastValueFrom(
        prefetch(batchPlans(pairs, { epochs: 4, batchSize: 3, seed: 1 }), load, { ahead: 2 }).pipe(
          concatLease((batch$) =>
            batch$.pipe(
              delay(1),
              map(({ plan }) => {
                alive.push(memory().numTensors - before);
                return plan.position;
              }),
            ),
          ),
          take(count),
          toArray(),
        ),
      );
    assert.deepEqual(await run(100), [...Array(16).keys()]);
    assert.ok(Math.max(...alive) <= 2 * 3, `${alive}`);
    assert.deepEqual(await run(2), [0, 1]);
    // What was still loading arrives, and is freed.
    for (let turn = 0; turn < 500 && memory().numTensors > before; turn++) await new Promise(setImmediate);
    assert.equal(memory().numTensors, before);
  });

  it('give the same batches whatever the look-ahead', async () => {
    const values = (ahead: number) =>
      lastValueFrom(
        prefetch(batchPlans(pairs, { epochs: 2, batchSize: 4, seed: 3 }), load, { ahead }).pipe(
          concatLease((batch$) => batch$.pipe(concatMap(({ inputs }) => inputs.data()))),
          toArray(),
        ),
      );
    assert.deepEqual(await values(0), await values(100));
  });
});
