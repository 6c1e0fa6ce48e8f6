import assert from 'node:assert/strict';
import { from, lastValueFrom, toArray } from 'rxjs';
import { augment } from '../../../operators/augment.js';
import { batch } from '../../../operators/batch.js';
import { decode } from '../../../operators/decode.js';
import { normalize } from '../../../operators/normalize.js';
import { noTargets } from '../../../src/data/batch.js';
import { batchPlans } from '../../../src/data/batch-plans.js';
import type { Transform } from '../../../src/data/images/augmentations/augmentation.js';
import { colorJitter } from '../../../src/data/images/augmentations/color-jitter.js';
import { elasticTransform } from '../../../src/data/images/augmentations/elastic.js';
import { horizontalFlip, rotate } from '../../../src/data/images/augmentations/geometric.js';
import { memoryCache } from '../../../src/data/images/memory-cache.js';
import { resizeBilinear } from '../../../src/data/pixels/resize.js';
import { resizeChannels } from '../../../src/data/pixels/resize-channels.js';
import type { ImageItem } from '../../../src/data/types.js';
import { stack } from '../images/tiff-writer.js';

const SIDE = 8;
const byteAt = (pixel: number, c: number) => (37 * pixel + 91 * c + ((pixel * pixel) >> 3)) % 256;
const field = (channels: number, bytes: (pixel: number, c: number) => number): ImageItem => ({
  stem: 'field',
  image: {
    kind: 'bytes',
    name: 'field.tif',
    bytes: stack([
      {
        width: SIDE,
        height: SIDE,
        bands: channels,
        values: Uint8Array.from({ length: SIDE * SIDE * channels }, (_, at) =>
          bytes(Math.floor(at / channels), at % channels),
        ),
      },
    ]),
  },
});

describe('pictures of many channels', () => {
  it('are resized by the filter of bytes: within a byte', () => {
    const data = Uint8Array.from({ length: 3 * 11 * 7 }, (_, i) => (i * 53) % 256);
    for (const size of [
      { width: 5, height: 4 },
      { width: 23, height: 9 },
    ]) {
      const bytes = resizeBilinear({ width: 11, height: 7, data }, size.width, size.height).data;
      const wide = { width: 11, height: 7, channels: 3, data: Uint16Array.from(data, (byte) => 257 * byte) };
      resizeChannels(wide, size).forEach((value, i) =>
        assert.ok(Math.abs(value / 257 - bytes[i]!) <= 1.01, `${i}: ${value / 257}, ${bytes[i]}`),
      );
    }
    const same = {
      width: 2,
      height: 1,
      channels: 5,
      data: Uint16Array.from({ length: 10 }, (_, i) => 6553 * i),
    };
    assert.deepEqual(resizeChannels(same, { width: 2, height: 1 }), same.data);
    // One pixel of two is the mean of both, channel by channel.
    assert.deepEqual([...resizeChannels(same, { width: 1, height: 1 })].slice(0, 2), [16_383, 22_936]);
  });

  /** The floats of the first batch, through the pipeline that trains. */
  const floats = async (channels: number, deep: boolean, ...transforms: readonly Transform[]) => {
    const range = [0, 255] as const;
    const item = field(channels, (pixel, c) => byteAt(pixel, c % 3));
    const [plan] = batchPlans([item], { batchSize: 1, seed: 5, shuffle: false });
    const mean = Array.from({ length: channels }, (_, c) => [0.2, 0.5, 0.3][c % 3]!);
    const std = mean.map((value) => value / 2);
    const cache = memoryCache();
    const samples$ = () =>
      from(plan!.samples).pipe(
        decode(SIDE, { cache, ...(deep && { pixels: { channels, range } }) }),
        augment(...transforms),
        normalize({ mean, std }),
        batch(plan!, noTargets),
        toArray(),
      );
    const [first] = await lastValueFrom(samples$());
    const [second] = await lastValueFrom(samples$());
    const [values, again] = [await first!.inputs.data(), await second!.inputs.data()];
    assert.deepEqual(first!.inputs.shape, [1, SIDE, SIDE, channels]);
    assert.deepEqual(again, values);
    first!.dispose();
    second!.dispose();
    return [...values];
  };

  for (const [name, ...transforms] of [
    ['as they are'],
    ['flipped', horizontalFlip({ p: 1 })],
    ['turned', rotate({ p: 1 })],
    ['distorted', elasticTransform({ p: 1 })],
  ] as const)
    it(`${name} hold in each channel what RGB bytes hold in theirs, by half a byte`, async () => {
      const rgb = await floats(3, false, ...transforms);
      const five = await floats(5, true, ...transforms);
      const byte = 1 / 255 / 0.1;
      for (let pixel = 0; pixel < SIDE * SIDE; pixel++)
        for (let c = 0; c < 5; c++) {
          const [ours, theirs] = [five[5 * pixel + c]!, rgb[3 * pixel + (c % 3)]!];
          assert.ok(Math.abs(ours - theirs) <= 0.51 * byte, `${pixel} ${c}: ${ours}, ${theirs}`);
        }
    });

  it('refuse changes of colours, and statistics of other channels', async () => {
    await assert.rejects(floats(4, true, colorJitter({ p: 1 })), {
      name: 'UserError',
      message:
        /expected transforms that take 16-bit values of any channels, got colorJitter, which needs RGB bytes/,
    });
    const [plan] = batchPlans([field(4, byteAt)], { batchSize: 1, seed: 5, shuffle: false });
    const wrong$ = from(plan!.samples).pipe(
      decode(SIDE, { pixels: { channels: 4 } }),
      normalize({ mean: [0, 0, 0], std: [1, 1, 1] }),
    );
    await assert.rejects(lastValueFrom(wrong$), /expected pictures of 3 channels, .* got 4/);
  });
});
