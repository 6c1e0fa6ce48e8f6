import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setBackend } from '@tensorflow/tfjs-core';
import { from, lastValueFrom, toArray } from 'rxjs';
import sharp from 'sharp';
import '../../../src/engine/tfjs.js';
import { writeFileSync } from 'node:fs';
import { augment } from '../../../operators/augment.js';
import { batch } from '../../../operators/batch.js';
import { decode } from '../../../operators/decode.js';
import { IMAGENET, normalize } from '../../../operators/normalize.js';
import { UserError } from '../../../src/base/errors.js';
import { augmentations } from '../../../src/data/images/augmentations/augmentations.js';
import { imagesAddon } from '../../../src/data/pixels/addon.js';
import { borrow, lend, whileHeld } from '../../../src/data/pixels/sample-memory.js';
import type { BatchPlan, MaskedSample, Pair } from '../../../src/data/types.js';
import { png } from '../images/png-writer.js';

/** Odd, so that no other test has arrays of its length. */
const LENGTH = 7919;

describe('the memory of decoded samples', () => {
  it('is used again once the batch is made and nothing reads it', async () => {
    const image = borrow(LENGTH);
    lend([image], () => [image]);
    let end = () => {};
    const reading = whileHeld([{ image }], () => new Promise<void>((resolve) => (end = resolve)), {
      spent: false,
    });
    await whileHeld([{ image }], async () => {}, { spent: true });
    assert.notEqual(borrow(LENGTH).buffer, image.buffer, 'somebody reads it');
    end();
    await reading;
    assert.equal(borrow(LENGTH).buffer, image.buffer);
    assert.notEqual(borrow(LENGTH).buffer, image.buffer, 'it is lent once');
  });

  it('stays with a sample that no batch was made of', async () => {
    const image = borrow(LENGTH);
    lend([image], () => [image]);
    await whileHeld([{ image }], async () => {}, { spent: false });
    assert.notEqual(borrow(LENGTH).buffer, image.buffer);
  });

  it('is not used again where its batch failed, of which a part may go on', async () => {
    const image = borrow(LENGTH);
    lend([image], () => [image]);
    const failing = whileHeld([{ image }], () => Promise.reject(new Error('no')), { spent: true });
    await assert.rejects(failing, /no/);
    assert.notEqual(borrow(LENGTH).buffer, image.buffer);
  });
});

describe('samples after their batch', () => {
  let dir: string;
  const SIZE = 40;
  const item = (name: string): Pair => ({
    stem: name,
    image: join(dir, `${name}.jpg`),
    mask: join(dir, `${name}.png`),
  });
  const planOf = (names: readonly string[]): BatchPlan<Pair> => ({
    epoch: 1,
    batch: 0,
    batches: 1,
    position: 0,
    samples: names.map((name, index) => ({ item: item(name), seed: 1, epoch: 1, index })),
  });
  const changes = ['flip', 'rotate', 'crop', 'color'].map((name) => augmentations.make(name));
  const samplesOf = (plan: BatchPlan<Pair>) =>
    lastValueFrom(from(plan.samples).pipe(decode(SIZE), augment(...changes), normalize(IMAGENET), toArray()));
  const numbersOf = async (plan: BatchPlan<Pair>, samples: readonly MaskedSample<Float32Array>[]) => {
    const { inputs, targets, dispose } = await lastValueFrom(from(samples).pipe(batch(plan)));
    const numbers = [...inputs.dataSync(), ...targets.dataSync()];
    dispose();
    return numbers;
  };

  before(async function () {
    if (!imagesAddon()?.about().jpeg) {
      console.log('      skipped: without the images addon and its JPEG library no memory is lent');
      this.skip();
    }
    await setBackend('cpu');
    dir = mkdtempSync(join(tmpdir(), 'millrace-memory-'));
    for (const [k, name] of ['one', 'two', 'three', 'four'].entries()) {
      const [width, height] = [90 + k, 70];
      const bytes = Buffer.from(
        Array.from({ length: width * height * 3 }, (_, i) => (i * i * (k + 3)) % 251),
      );
      const raw = { raw: { width, height, channels: 3 as const } };
      writeFileSync(item(name).image as string, await sharp(bytes, raw).jpeg().toBuffer());
      const ids = Array.from({ length: width * height }, (_, i) => 1 + ((i + k) % 3));
      writeFileSync(item(name).mask as string, png({ width, height, depth: 8, colour: 0 }, ids));
    }
  });
  after(() => dir && rmSync(dir, { recursive: true }));

  it('are what they were, although others were decoded into their memory', async () => {
    const [first, second] = [planOf(['one', 'two']), planOf(['three', 'four'])];
    const samples = await samplesOf(first);
    const numbers = await numbersOf(first, samples);
    await numbersOf(second, await samplesOf(second));
    assert.deepEqual(await numbersOf(first, samples), numbers, 'another batch of the same samples');
    const pixels = samples.flatMap(({ image }) => [...image]);
    assert.deepEqual([...pixels, ...samples.flatMap(({ mask }) => [...mask])], numbers);
  });

  it('are refused where their file has changed', async () => {
    const plan = planOf(['one', 'two']);
    const samples = await samplesOf(plan);
    await numbersOf(plan, samples);
    copyFileSync(item('one').mask as string, item('one').image as string);
    assert.throws(
      () => samples[0]!.image,
      (error: unknown) => error instanceof UserError && /one\.jpg.*changed/.test(error.message),
    );
  });
});
