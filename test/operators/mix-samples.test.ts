import assert from 'node:assert/strict';
import { filter, from, lastValueFrom, map, type OperatorFunction, pipe, tap, toArray } from 'rxjs';
import { augment } from '../../operators/augment.js';
import { decode } from '../../operators/decode.js';
import { mixSamples } from '../../operators/mix-samples.js';
import { IMAGENET, normalize } from '../../operators/normalize.js';
import { fixture } from '../../src/base/fixture.js';
import { batchPlans } from '../../src/data/batch-plans.js';
import type { Transform } from '../../src/data/images/augmentations/augmentation.js';
import { augmentations } from '../../src/data/images/augmentations/augmentations.js';
import { gaussNoise } from '../../src/data/images/augmentations/photometric.js';
import { memoryCache } from '../../src/data/images/memory-cache.js';
import { classMix, copyPaste } from '../../src/data/images/mixing/class-mix.js';
import type { Mixer } from '../../src/data/images/mixing/mixer.js';
import { cutMix } from '../../src/data/images/mixing/mixup.js';
import { mosaic } from '../../src/data/images/mixing/mosaic.js';
import { draftOf } from '../../src/data/pixels/draft.js';
import type { MaskedSample, Pair, SamplePlan } from '../../src/data/types.js';
import { findPairs } from '../../src/tasks/segmentation/pairs.js';

const SIZE = 24;
const folders = [fixture('creatures', 'plain', 'images'), fixture('creatures', 'plain', 'masks')] as const;

describe('mixSamples', () => {
  const cache = memoryCache();
  let pairs: Pair[];
  before(async () => {
    pairs = (await findPairs(...folders)).slice(0, 9);
  });

  const load = (concurrency: number): OperatorFunction<SamplePlan<Pair>, MaskedSample> =>
    pipe(decode<Pair>(SIZE, { concurrency, cache }), augment(gaussNoise({ p: 1 })));
  const mixers = (): Mixer[] => [cutMix(), copyPaste(), mosaic()];
  const run = (
    plans: readonly SamplePlan<Pair>[],
    loading = load(4),
    items: readonly Pair[] = pairs,
  ): Promise<MaskedSample[]> =>
    lastValueFrom(from(plans).pipe(mixSamples(mixers(), items, loading), toArray()));
  const epoch = (batchSize: number) =>
    [...batchPlans(pairs, { batchSize, seed: 3, shuffle: false })].map(({ samples }) => samples);

  it('makes the same samples whatever the batches, the concurrency and the beginning', async () => {
    const whole = await run(epoch(9).flat());
    assert.equal(whole.length, 9);
    const parts = [];
    for (const batch of epoch(2)) parts.push(...(await run(batch, load(1))));
    assert.deepEqual(parts, whole);
    assert.deepEqual(await run(epoch(9).flat().slice(5), load(2)), whole.slice(5));
    const mixed = whole.filter((sample) => 'parts' in sample);
    assert.ok(mixed.length > 0, 'some are mixed');
  });

  it('makes no pixels on the event loop, of what it mixes and of what comes of it', async () => {
    const loaded: MaskedSample[] = [];
    const noting = pipe(
      load(4),
      tap((sample: MaskedSample) => loaded.push(sample)),
    );
    const whole = await run(epoch(9).flat(), noting);
    assert.ok(loaded.length > whole.length);
    for (const sample of [...loaded, ...whole]) assert.ok(draftOf(sample), sample.plan.item.stem);
  });

  it('emits samples of their own plans, in order', async () => {
    const plans = epoch(9).flat();
    assert.deepEqual(
      (await run(plans)).map(({ plan }) => plan),
      plans,
    );
  });

  it('loads a partner as it is in its own turn', async () => {
    const whole: Mixer = {
      name: 'whole',
      p: 1,
      partners: 1,
      mix: ({ image, mask }, [partner]) => {
        image.set(partner!.image);
        mask!.set(partner!.mask!);
        return [0, 1];
      },
    };
    const plans = epoch(9).flat();
    const swapped = await lastValueFrom(from(plans).pipe(mixSamples([whole], pairs, load(4)), toArray()));
    const own = await lastValueFrom(from(plans).pipe(load(4), toArray()));
    for (const sample of swapped) {
      const [part] = (sample as { parts?: readonly { plan: SamplePlan }[] }).parts!;
      assert.notEqual(part!.plan.index, sample.plan.index);
      assert.deepEqual(sample.image, own[part!.plan.index]!.image);
    }
  });

  it('loads as it is told where there is no mixer', () => {
    const loading = load(4);
    assert.equal(mixSamples([], pairs, loading), loading);
  });

  it('leaves what the cache keeps as it is, whatever changes a sample', async () => {
    const plans = epoch(9).flat();
    const fresh = await lastValueFrom(from(plans).pipe(decode<Pair>(SIZE), toArray()));
    const loading = (transform: Transform) => pipe(decode<Pair>(SIZE, { cache }), augment(transform));
    const always = <T extends { readonly p: number }>(entry: T): T => ({ ...entry, p: 1 });
    for (const name of augmentations.names) {
      const transform = always(augmentations.make(name));
      await lastValueFrom(from(plans).pipe(loading(transform), normalize(IMAGENET), toArray()));
    }
    for (const mixer of [...mixers(), classMix()].map(always))
      await lastValueFrom(
        from(plans).pipe(mixSamples([mixer], pairs, decode<Pair>(SIZE, { cache })), toArray()),
      );
    const cached = await lastValueFrom(from(plans).pipe(decode<Pair>(SIZE, { cache }), toArray()));
    cached.forEach(({ image, mask }, i) =>
      assert.deepEqual([image, mask], [fresh[i]!.image, fresh[i]!.mask]),
    );
  });

  it('refuses items that were not planned, a load that leaves one out, and normalised samples', async () => {
    const plans = epoch(9).flat();
    await assert.rejects(run(plans, load(4), pairs.toReversed()), /expected the items that were planned/);
    const leaving = (index: number) =>
      pipe(
        load(4),
        filter<MaskedSample>(({ plan }) => plan.index !== index),
      );
    for (const index of [0, 4, 8])
      await assert.rejects(run(plans, leaving(index)), /expected `load` to give one sample for each plan/);
    const normalised = pipe(
      load(4),
      normalize(IMAGENET),
      map((sample) => sample as unknown as MaskedSample),
    );
    await assert.rejects(run(plans, normalised), /put normalize\(…\) after mixSamples\(…\)/);
  });
});
