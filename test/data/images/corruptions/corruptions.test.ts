import assert from 'node:assert/strict';
import { creatureScene } from '../../../../src/data/creatures/scene.js';
import { trimap } from '../../../../src/data/creatures/trimap.js';
import type { Picture, Severity } from '../../../../src/data/images/corruptions/corruption.js';
import { corrupt, corruptions } from '../../../../src/data/images/corruptions/corruptions.js';
import { randomStream } from '../../../../src/random/random-stream.js';

const severities = [1, 2, 3, 4, 5] as const satisfies Severity[];

function creature(width = 96, height = 80): Picture {
  const { image, labels } = creatureScene(randomStream(5, 'corruptions test'), width, height);
  return { width, height, image, mask: trimap(labels, width, height) };
}

function even(value: number, side = 64): Picture {
  const image = new Uint8Array(side * side * 3).fill(value);
  return { width: side, height: side, image, mask: new Uint8Array(side * side).fill(2) };
}

const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
const change = (a: Picture, b: Picture) => mean(a.image.map((value, i) => Math.abs(value - b.image[i]!)));
const near = (got: number, expected: number) =>
  assert(Math.abs(got / expected - 1) < 0.02, `${got}, ${expected}`);
const corrupted = (picture: Picture, name: string, severity: Severity, stem = 'a') =>
  corrupt(picture, name, severity, 42, stem);

describe('corruptions', () => {
  for (const name of corruptions.names)
    it(`${name}: seeded, graded, and true to its mask`, async () => {
      const before = creature();
      const untouched = { image: before.image.slice(), mask: before.mask.slice() };
      const after = await Promise.all(severities.map((severity) => corrupted(before, name, severity)));
      assert.deepEqual({ image: before.image, mask: before.mask }, untouched, 'its input changed');
      for (const each of after) {
        assert.equal(each.image.length, before.image.length);
        if (name !== 'elastic') assert.deepEqual(each.mask, before.mask);
      }
      const strength = after.map((each) => change(each, before));
      assert(strength[0]! > 0.3, `severity 1 does nothing: ${strength}`);
      assert(strength[4]! > 1.3 * strength[0]!, `severity 5 is no worse than 1: ${strength}`);
      assert.deepEqual(await corrupted(before, name, 3), after[2], 'two runs differ');
    });

  it('draws another corruption for another stem and seed', async () => {
    const before = creature();
    const image = async (seed: number, stem: string) =>
      (await corrupt(before, 'gaussian_noise', 1, seed, stem)).image;
    const first = await image(1, 'a');
    assert.notDeepEqual(await image(1, 'b'), first);
    assert.notDeepEqual(await image(2, 'a'), first);
  });

  it('moves image and mask alike where it moves them', async () => {
    const { width, height, mask } = creature();
    const image = Uint8Array.from({ length: mask.length * 3 }, (_, i) => mask[Math.floor(i / 3)]! * 80);
    const after = await corrupted({ width, height, image, mask }, 'elastic', 5);
    assert.notDeepEqual(after.mask, mask);
    for (let at = 0; at < mask.length; at++) assert.equal(after.image[at * 3 + 1], after.mask[at]! * 80);
  });

  it('makes noise of the stated strength', async () => {
    const deviation = async (name: string, severity: Severity, value: number) => {
      const { image } = await corrupted(even(value, 128), name, severity);
      const middle = mean(image);
      return Math.sqrt(mean(Float64Array.from(image, (each) => (each - middle) ** 2))) / 255;
    };
    // 49152 draws: the deviation of an estimated deviation is about 0.3 %.
    near(await deviation('gaussian_noise', 2, 128), 0.1);
    near(await deviation('speckle_noise', 2, 128), (0.22 * 128) / 255);
    // Poisson(λx)/λ has variance x/λ; x = 51/255 keeps clipping at 1 rare.
    near(await deviation('shot_noise', 2, 51), Math.sqrt(0.2 / 25));
    const { image } = await corrupted(even(128, 128), 'impulse_noise', 3);
    // 16384 pixels: the share's deviation is .0022.
    assert(Math.abs(mean(image.map((value) => (value === 128 ? 0 : 1))) - 0.09) < 0.009);
  });

  for (const name of [
    'gaussian_blur',
    'defocus_blur',
    'motion_blur',
    'zoom_blur',
    'pixelate',
    'elastic',
  ] as const)
    it(`${name} leaves an even picture even`, async () => {
      const { image } = await corrupted(even(77), name, 4);
      assert(
        image.every((value) => value === 77),
        `got ${new Set(image)}`,
      );
    });

  it('spreads a point evenly about itself by a Gaussian blur', async () => {
    const picture = even(0, 65);
    picture.image.fill(255, (32 * 65 + 32) * 3, (32 * 65 + 32) * 3 + 3);
    const { image } = await corrupted(picture, 'gaussian_blur', 3);
    const at = (x: number, y: number) => image[(y * 65 + x) * 3]!;
    assert(at(32, 32) > at(33, 32) && at(33, 32) === at(31, 32) && at(32, 33) === at(32, 31));
    assert(Math.abs(at(32, 33) - at(33, 32)) <= 1, 'two passes differ by more than rounding');
  });

  it('keeps few values in posterize, turns bright values over in solarize, raises the value in brightness', async () => {
    const ramp = even(0);
    ramp.image.forEach((_, i) => {
      ramp.image[i] = Math.floor(i / 3) % 256;
    });
    assert.deepEqual(
      [...new Set((await corrupted(ramp, 'posterize', 4)).image)].toSorted((a, b) => a - b),
      [0, 128, 255],
    );
    assert.deepEqual((await corrupted(even(250), 'solarize', 3)).image[0], 5);
    assert.deepEqual((await corrupted(even(100), 'solarize', 3)).image[0], 100);
    assert.equal((await corrupted(even(100), 'brightness', 2)).image[0], 151);
  });

  it('shuffles the channels without losing a value', async () => {
    const picture = even(0);
    picture.image.forEach((_, i) => {
      picture.image[i] = [10, 120, 240][i % 3]!;
    });
    const [r, g, b] = (await corrupted(picture, 'channel_shuffle', 5)).image;
    assert.notDeepEqual([r, g, b], [10, 120, 240]);
    assert.deepEqual(
      [r!, g!, b!].toSorted((x, y) => x - y),
      [10, 120, 240],
    );
  });
});
