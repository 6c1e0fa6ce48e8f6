import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import {
  concatMap,
  defer,
  from,
  ignoreElements,
  lastValueFrom,
  map,
  type Observable,
  tap,
  toArray,
} from 'rxjs';
import { augment } from '../../operators/augment.js';
import { batch } from '../../operators/batch.js';
import { concatLease } from '../../operators/concat-lease.js';
import { decode } from '../../operators/decode.js';
import { evaluate } from '../../operators/evaluate.js';
import { IMAGENET, normalize } from '../../operators/normalize.js';
import { prefetch } from '../../operators/prefetch.js';
import { throughTrunk } from '../../operators/through-trunk.js';
import { trainStep } from '../../operators/train-step.js';
import { bitFit } from '../../src/adapters/bitfit.js';
import { lora } from '../../src/adapters/lora.js';
import { fixture } from '../../src/base/fixture.js';
import type { Batch } from '../../src/data/batch.js';
import { batchPlans } from '../../src/data/batch-plans.js';
import { fixedViews } from '../../src/data/fixed-views.js';
import { horizontalFlip } from '../../src/data/images/augmentations/geometric.js';
import { diskCache } from '../../src/data/images/disk-cache.js';
import { memoryCache } from '../../src/data/images/memory-cache.js';
import type { SampleCache } from '../../src/data/images/sample-cache.js';
import type { BatchPlan, Pair } from '../../src/data/types.js';
import type { Adapter } from '../../src/model/adapter.js';
import { vitConfig } from '../../src/model/vit/config.js';
import { crossEntropy } from '../../src/tasks/segmentation/losses/cross-entropy.js';
import { segmentationMetrics } from '../../src/tasks/segmentation/metrics/segmentation-metrics.js';
import { findPairs } from '../../src/tasks/segmentation/pairs.js';
import { createSegmenter, type Segmenter } from '../../src/tasks/segmentation/segmenter.js';
import { adamW } from '../../src/train/optimizers/adam.js';
import { Run } from '../../src/train/run.js';

const SIZE = 16;
const classes = ['pet', 'background', 'border'];
const targets = { shape: [SIZE, SIZE] };
const kind = 'creatures at 16';
const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: SIZE,
  patch_size: 4,
});

/** A cache that counts what it had, of another one. */
function counted(cache: SampleCache) {
  const counts = { hits: 0, misses: 0 };
  const get: SampleCache['get'] = async (...args) => {
    const parts = await cache.get(...args);
    counts[parts ? 'hits' : 'misses']++;
    return parts;
  };
  return { ...cache, get, counts };
}

describe('throughTrunk', () => {
  let pairs: Pair[];
  let decoded = 0;
  const images = memoryCache();

  before(async () => {
    const folder = (name: string) => fixture('creatures', 'plain', name);
    pairs = (await findPairs(folder('images'), folder('masks'))).slice(0, 5);
  });

  const load = (plan: BatchPlan): Observable<Batch> =>
    from(fixedViews(plan, 2).samples).pipe(
      decode(SIZE, { cache: images }),
      tap(() => decoded++),
      augment(horizontalFlip()),
      normalize(IMAGENET),
      batch(plan),
    );
  const adapted = (adapter: Adapter = lora({ rank: 2, layers: [2] })) =>
    createSegmenter(config, { classes: 3, seed: 1 }).inject(adapter, 2);

  /** The weights after some epochs; from `stopped` on by a second run with another cache. */
  async function trained(
    epochs: number,
    cache: SampleCache | undefined,
    { exact = false, backbone }: { exact?: boolean; backbone?: Segmenter } = {},
  ): Promise<Float32Array[]> {
    const model = backbone
      ? backbone.sibling({ classes: 3, seed: 1 }).inject(lora({ rank: 2, layers: [2] }), 2)
      : adapted();
    const loss = crossEntropy();
    const options = {
      model,
      loss,
      optimizer: adamW(),
      learningRate: 0.01,
      epochs,
      batchSize: 2,
      seed: 4,
      classes,
    };
    const run = new Run(options);
    const through = cache
      ? throughTrunk<Pair, Tensor>(model, load, { cache, targets, kind, exact, random: true })
      : load;
    const viewed = (plan: BatchPlan) => through(fixedViews(plan, 2));
    await lastValueFrom(
      prefetch(run.plans(pairs), viewed, { ahead: 2 }).pipe(
        concatLease((batch$) => batch$.pipe(trainStep(run))),
        ignoreElements(),
      ),
      { defaultValue: undefined },
    );
    const weights = await Promise.all(
      model.parameters.trainable().map(async ({ value }) => (await value.data()) as Float32Array),
    );
    run.dispose();
    model.dispose();
    return weights;
  }

  it('runs the trunk once for each view of a picture, and decodes nothing afterwards', async () => {
    decoded = 0;
    const cache = counted(memoryCache());
    await trained(4, cache);
    assert.equal(decoded, 10, 'two views of five pictures');
    assert.deepEqual(cache.counts, { hits: 10, misses: 10 });
  });

  it('trains the same weights from memory, from disk, and with a cache that has no room', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'trunk-'));
    try {
      const expected = await trained(3, memoryCache());
      assert.deepEqual(await trained(3, memoryCache({ maxBytes: 1 })), expected);
      assert.deepEqual(await trained(3, diskCache(dir)), expected);
      const later = counted(diskCache(dir));
      assert.deepEqual(await trained(3, later), expected);
      assert.equal(later.counts.misses, 0, 'a later process computes nothing');
      // A file that was damaged is computed again.
      for (const name of await readdir(dir))
        if (name.endsWith('.samples')) await writeFile(join(dir, name), 'damaged');
      assert.deepEqual(await trained(3, diskCache(dir)), expected);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('trains the weights of a run without a cache where it keeps float32', async () => {
    const expected = await trained(3, undefined);
    assert.deepEqual(await trained(3, memoryCache(), { exact: true }), expected);
    assert.notDeepEqual(await trained(3, memoryCache()), expected, 'bfloat16 is another run');
  });

  it('runs once for trainings on one backbone that want a batch at once', async () => {
    const backbone = createSegmenter(config, { classes: 3, seed: 1 }).train('head');
    const expected = await trained(2, undefined, { backbone });
    decoded = 0;
    const cache = memoryCache();
    const each = () => trained(2, cache, { backbone, exact: true });
    for (const weights of await Promise.all([each(), each(), each()])) assert.deepEqual(weights, expected);
    assert.equal(decoded, 10, 'two views of five pictures, once for all three');
    backbone.dispose();
  });

  describe('wanted at once by two models', () => {
    let models: Segmenter[];
    let plan: BatchPlan;
    const through = (cache: SampleCache, loads = load) => {
      const each = models.map((model) =>
        throughTrunk<Pair, Tensor>(model, loads, { cache, targets, kind, exact: true }),
      );
      return async () => {
        const batches = await Promise.all(each.map((one) => lastValueFrom(one(plan))));
        const values = await Promise.all(batches.map(({ inputs }) => inputs.data()));
        for (const whole of batches) whole.dispose();
        assert.deepEqual(values[0], values[1]);
      };
    };

    before(() => {
      plan = [...batchPlans(pairs, { batchSize: 5, seed: 1, shuffle: false })][0]!;
    });
    beforeEach(() => {
      models = [adapted(), adapted()];
      decoded = 0;
    });
    afterEach(() => {
      for (const model of models) model.dispose();
    });

    it('runs once, though the cache has no room', async () => {
      let opened = Promise.resolve();
      const gated = (one: BatchPlan) => defer(() => opened).pipe(concatMap(() => load(one)));
      const both = through(memoryCache({ maxBytes: 1 }), gated);
      await both();
      decoded = 0;
      // The keys are known by now: both ask before the first macrotask, which lets the images in.
      opened = new Promise((resolve) => setImmediate(resolve));
      await both();
      assert.equal(decoded, 5);
    });

    it('runs once, though the cache answers the second after the first has filled it', async () => {
      const inner = memoryCache();
      let [looks, kept] = [0, 0];
      let filled = () => {};
      const whenFilled = new Promise<void>((resolve) => {
        filled = resolve;
      });
      const slow: SampleCache = {
        get: async (...args) => {
          const parts = await inner.get(...args);
          if (looks++ >= 5) await whenFilled.then(() => new Promise((resolve) => setTimeout(resolve, 5)));
          return parts;
        },
        set: async (...args) => {
          const had = await inner.set(...args);
          if (++kept === 5) filled();
          return had;
        },
      };
      await through(slow)();
      assert.equal(decoded, 5);
    });
  });

  it('gives what the whole model gives, to bfloat16, and scores it too', async () => {
    const model = adapted();
    const asTheyAre = (plan: BatchPlan) =>
      from(plan.samples).pipe(decode(SIZE, { cache: images }), normalize(IMAGENET), batch(plan));
    const through = throughTrunk(model, asTheyAre, { cache: memoryCache(), targets, kind });
    const logits = (one: (plan: BatchPlan) => Observable<Batch>) =>
      lastValueFrom(
        prefetch(batchPlans(pairs, { batchSize: 3, seed: 1, shuffle: false }), one, { ahead: 0 }).pipe(
          concatLease((batch$) =>
            batch$.pipe(
              concatMap(async ({ inputs }) => {
                const y = model.forward(inputs);
                const values = [...(await y.data())];
                y.dispose();
                return { values, rank: inputs.rank };
              }),
            ),
          ),
          toArray(),
        ),
      );
    const [whole, cut] = [await logits(asTheyAre), await logits(through)];
    assert.deepEqual(
      cut.map(({ rank }) => rank),
      [3, 3],
    );
    cut.forEach(({ values }, i) =>
      values.forEach((value, k) => {
        const expected = whole[i]!.values[k]!;
        assert.ok(Math.abs(value - expected) < 0.02, `${value} and ${expected}`);
      }),
    );
    const metrics = segmentationMetrics({ classes: 3, loss: crossEntropy() });
    const scores = (one: (plan: BatchPlan) => Observable<Batch>) => {
      const plans = batchPlans(pairs, { batchSize: 2, seed: 1, shuffle: false });
      return lastValueFrom(
        evaluate(model, prefetch(plans, one, { ahead: 1 }), metrics).pipe(map(({ scores }) => scores.loss)),
      );
    };
    assert.ok(Math.abs((await scores(through)) - (await scores(asTheyAre))) < 0.01);
    model.dispose();
  });

  it('takes encoders without a class token, and with registers', async () => {
    for (const features of [{ class_token: false }, { num_register_tokens: 2 }] as const) {
      const model = createSegmenter({ ...config, ...features }, { classes: 3, seed: 1 }).train('head');
      const through = throughTrunk(model, load, { cache: memoryCache(), targets, kind, exact: true });
      const plans = batchPlans(pairs, { batchSize: 2, seed: 1, shuffle: false });
      const shapes = await lastValueFrom(
        prefetch(plans, through, { ahead: 0 }).pipe(
          concatLease((batch$) => batch$.pipe(map(({ inputs }) => inputs.shape))),
          toArray(),
        ),
      );
      const tokens = 16 + ('num_register_tokens' in features ? 3 : 0);
      assert.deepEqual(shapes, [
        [2, tokens, 12],
        [2, tokens, 12],
        [1, tokens, 12],
      ]);
      model.dispose();
    }
  });

  it('knows the trunk by what trains above it', () => {
    const blocks = (model: Segmenter) => {
      const { trunkBlocks } = model;
      model.dispose();
      return trunkBlocks;
    };
    const fresh = () => createSegmenter(config, { classes: 3, seed: 1 });
    assert.equal(blocks(fresh()), 0, 'everything trains');
    assert.equal(blocks(fresh().train('head')), 3, 'the head alone');
    assert.equal(blocks(adapted()), 2);
    assert.equal(blocks(adapted(lora({ rank: 2, layers: [1, 2] }))), 1);
    assert.equal(blocks(adapted(lora({ rank: 2 }))), 0);
    assert.equal(blocks(adapted(bitFit())), 0);
    assert.equal(blocks(fresh().train(['norm.weight', 'layers.2.norm1.bias'])), 2);
    assert.equal(blocks(fresh().train(['norm.weight'])), 3);
    assert.equal(blocks(fresh().train(['positions'])), 0);
  });

  it('computes anew for another trunk, another kind and another file', async () => {
    const cache = counted(memoryCache());
    const once = async (seed: number, about: string) => {
      const model = createSegmenter(config, { classes: 3, seed }).train('head');
      const through = throughTrunk(model, load, { cache, targets, kind: about });
      const plans = batchPlans(pairs.slice(0, 2), { batchSize: 2, seed: 1, shuffle: false });
      await lastValueFrom(
        prefetch(plans, through, { ahead: 0 }).pipe(concatLease((batch$) => batch$.pipe(map(() => 1)))),
      );
      model.dispose();
      return { ...cache.counts };
    };
    assert.deepEqual(await once(1, 'a'), { hits: 0, misses: 2 });
    assert.deepEqual(await once(1, 'a'), { hits: 2, misses: 2 });
    assert.deepEqual(await once(2, 'a'), { hits: 2, misses: 4 });
    assert.deepEqual(await once(1, 'b'), { hits: 2, misses: 6 });
  });

  it('refuses what no longer starts where it ended', () => {
    const model = adapted();
    assert.throws(
      () => model.startAfter(3),
      /expected from 0 to 2 blocks, below which nothing trains, got 3/,
    );
    model.dispose();
  });
});
