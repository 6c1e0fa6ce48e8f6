import assert from 'node:assert/strict';
import { readPreprocessor } from '../../../src/model/vit/preprocessor.js';

const read = (file: unknown) =>
  readPreprocessor(file, { width: 224, height: 224 }, 3, (text) => {
    throw new Error(text);
  });
const half = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

describe('readPreprocessor', () => {
  // (pixel · factor − mean) / std is what transformers' image processors compute of each pixel from 0 to 255.
  for (const [name, file, expected] of [
    [
      'the usual',
      { ...half, do_rescale: true, rescale_factor: 1 / 255 },
      (x: number) => (x / 255 - 0.5) / 0.5,
    ],
    [
      'a factor as transformers writes it',
      { ...half, rescale_factor: 0.00392156862745098 },
      (x: number) => x / 127.5 - 1,
    ],
    ['no normalisation', { ...half, do_normalize: false }, (x: number) => x / 255],
    ['no factor', { ...half, do_rescale: false }, (x: number) => (x - 0.5) / 0.5],
    ['neither', { do_normalize: false, do_rescale: false }, (x: number) => x],
    ['another factor', { ...half, rescale_factor: 1 / 127.5 }, (x: number) => (x / 127.5 - 0.5) / 0.5],
    ['numbers for all channels', { image_mean: 0.5, image_std: 0.25 }, (x: number) => (x / 255 - 0.5) / 0.25],
  ] as const)
    it(`honours ${name}`, () => {
      const { mean, std } = read(file);
      for (const channel of [0, 1, 2])
        for (const pixel of [0, 17, 255]) {
          const got = (pixel / 255 - mean[channel]!) / std[channel]!;
          assert.ok(Math.abs(got - expected(pixel)) < 1e-9 * (1 + Math.abs(got)), `${pixel}: ${got}`);
        }
    });

  it('keeps the usual mean and std to the last bit', () => {
    assert.deepEqual(read({ ...half, rescale_factor: 0.00392156862745098 }), {
      mean: half.image_mean,
      std: half.image_std,
    });
  });

  it('accepts the model’s size in any of its spellings', () => {
    for (const sizes of [
      { size: 224 },
      { size: { height: 224, width: 224 } },
      { size: { shortest_edge: 256 }, do_center_crop: true, crop_size: { height: 224, width: 224 } },
      { size: 256, do_center_crop: true, crop_size: 224 },
      { size: 384, do_resize: false },
    ])
      read({ ...half, ...sizes });
  });

  for (const [file, message] of [
    [{ ...half, image_mean: [0.5] }, /image_mean: expected a number for each of 3 channels/],
    [{ ...half, image_std: [0.5, 0, 0.5] }, /image_std: expected numbers above 0/],
    [{ ...half, image_std: 0 }, /image_std: expected numbers above 0/],
    [{ ...half, image_mean: ['a', 0, 0] }, /image_mean/],
    [{ ...half, rescale_factor: 0 }, /rescale_factor/],
    [{ ...half, do_normalize: 'no' }, /do_normalize/],
    [{ image_mean: [0, 0, 0] }, /expected both image_mean and image_std, got image_mean alone/],
    [{}, /expected image_mean and image_std, got neither/],
    [{ ...half, size: 384 }, /size: expected 224, as the model's positions are for, got 384/],
    [{ ...half, size: { height: 224, width: 384 } }, /size: expected 224, .* got 384x224/],
    [{ ...half, size: 224, do_center_crop: true, crop_size: 192 }, /crop_size: expected 224/],
  ] as const)
    it(`refuses ${JSON.stringify(file)}`, () => {
      assert.throws(() => read(file), message);
    });
});
