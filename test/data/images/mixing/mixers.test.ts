import assert from 'node:assert/strict';
import fc from 'fast-check';
import { classMix, copyPaste } from '../../../../src/data/images/mixing/class-mix.js';
import { mixedSample, mixPlan } from '../../../../src/data/images/mixing/mix-plans.js';
import type { Mixed, Mixer } from '../../../../src/data/images/mixing/mixer.js';
import { mixers } from '../../../../src/data/images/mixing/mixers.js';
import { cutMix, mixup } from '../../../../src/data/images/mixing/mixup.js';
import { mosaic } from '../../../../src/data/images/mixing/mosaic.js';
import type { MaskedSample, SamplePlan } from '../../../../src/data/types.js';

const COUNT = 8;
const items = Array.from({ length: COUNT }, (_, i) => ({ stem: `${i}`, image: '', mask: '' }));
const planOf = (index: number, seed = 1): SamplePlan => ({ item: items[index]!, seed, epoch: 1, index });

/** A picture of one sample: red is ten times the class, green tells the sample. */
function draw(
  plan: SamplePlan,
  [width, height]: readonly [number, number],
  id: (x: number, y: number) => number,
): MaskedSample {
  const mask = Uint8Array.from({ length: width * height }, (_, i) => id(i % width, Math.floor(i / width)));
  const image = new Uint8Array(3 * width * height);
  mask.forEach((value, i) => image.set([value === 255 ? 200 : 10 * value, 1 + plan.index, 9], 3 * i));
  return { plan, width, height, image, mask };
}

const always = (mixer: Mixer): Mixer => ({ ...mixer, p: 1 });

/** Mixes into sample 0 what the plan says, out of pictures by `make`. */
function mixed(
  mixer: Mixer,
  make: (plan: SamplePlan) => MaskedSample,
  seed = 1,
): { samples: readonly MaskedSample[]; result: MaskedSample & Mixed } {
  const plan = mixPlan(planOf(0, seed), items, [always(mixer)]);
  const samples = plan.plans.map(make);
  return { samples, result: mixedSample(plan, samples) as MaskedSample & Mixed };
}

const blocks = (size: readonly [number, number]) => (plan: SamplePlan) =>
  draw(plan, size, (x, y) => (x < size[0] / 2 ? plan.index % 3 : y < size[1] / 3 ? 3 : 255));

const MASKED = mixers.names.filter((name) => name !== 'mixup');

describe('each mixer that takes masks', () => {
  for (const name of MASKED)
    it(`${name}: moves masks with images, invents no class, says its shares, and changes no input`, () =>
      fc.assert(
        fc.property(
          fc.nat(1e6),
          fc.integer({ min: 1, max: 30 }),
          fc.integer({ min: 1, max: 30 }),
          (seed, width, height) => {
            const make = blocks([width, height]);
            const { samples, result } = mixed(mixers.make(name), make, seed);
            samples.forEach((sample) => assert.deepEqual(sample, make(sample.plan)));
            assert.equal(result.mask.length, width * height);
            assert.equal(result.image.length, 3 * width * height);
            const ids = new Set(samples.flatMap(({ mask }) => [...mask]));
            assert.ok(result.mask.every((id) => ids.has(id)));
            const total = result.parts!.reduce((sum, { share }) => sum + share, 0);
            assert.ok(Math.abs(total - 1) < 1e-9, `${total}`);
            assert.deepEqual(result, mixed(mixers.make(name), make, seed).result);
          },
        ),
        { numRuns: 60 },
      ));

  // Mosaic resizes, so that its colours are blended at the edges of classes.
  for (const name of MASKED.filter((other) => other !== 'mosaic'))
    it(`${name}: takes each pixel with its class, and its shares are those of the pixels`, () =>
      fc.assert(
        fc.property(fc.nat(1e6), (seed) => {
          const { samples, result } = mixed(mixers.make(name), blocks([24, 18]), seed);
          const counts = new Map(samples.map(({ plan }) => [plan.index, 0]));
          result.mask.forEach((id, i) => {
            const [red, green] = [result.image[3 * i]!, result.image[3 * i + 1]!];
            assert.equal(red, id === 255 ? 200 : 10 * id);
            counts.set(green - 1, counts.get(green - 1)! + 1);
          });
          for (const { plan, share } of result.parts!)
            assert.ok(Math.abs(share - counts.get(plan.index)! / result.mask.length) < 1e-9);
        }),
        { numRuns: 60 },
      ));
});

describe('mixPlan', () => {
  it('draws partners other than the sample, from all of them, by the seed alone', () => {
    const partners = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const { plans } = mixPlan(planOf(3, seed), items, [always(mosaic())]);
      assert.deepEqual(plans, mixPlan(planOf(3, seed), items, [always(mosaic())]).plans);
      assert.deepEqual(plans[0], planOf(3, seed));
      for (const { item, index, epoch } of plans.slice(1)) {
        assert.ok(index !== 3 && item === items[index] && epoch === 1);
        partners.add(index);
      }
    }
    assert.equal(partners.size, COUNT - 1);
    assert.equal(mixPlan(planOf(0), items.slice(0, 1), [always(cutMix())]).plans[1]!.index, 0);
  });

  it('applies a mixer as often as p says', () => {
    const applied = Array.from(
      { length: 1000 },
      (_, seed) => mixPlan(planOf(0, seed), items, [cutMix({ p: 0.3 })]).steps.length,
    );
    const count = applied.reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(count - 300) < 75, `${count}`); // five standard deviations
  });

  it('refuses other items than those that were planned', () =>
    assert.throws(
      () => mixPlan(planOf(5), items.slice(1), [cutMix()]),
      /mixSamples: expected the items that were planned, got "6" at 5 for "5"/,
    ));
});

describe('mixup', () => {
  it('is the mean of two pictures, weighted by the shares that it tells', () => {
    const plan = mixPlan(planOf(0), items, [mixup({ alpha: 1, p: 1 })]);
    const samples = plan.plans.map(({ index }, i) => ({
      plan: planOf(index),
      width: 2,
      height: 1,
      image: new Uint8Array(6).fill([40, 200][i]!),
    }));
    const { image, parts } = mixedSample(plan, samples);
    const [own, other] = parts!.map(({ share }) => share);
    assert.ok(own! > 0 && other! > 0 && Math.abs(own! + other! - 1) < 1e-12);
    assert.ok(image.every((byte) => byte === Math.round(40 * own! + 200 * other!)));
    assert.equal(samples[0]!.image[0], 40);
  });

  it('refuses masks, and those that need masks refuse samples without', () => {
    assert.throws(
      () => mixed(mixup(), blocks([4, 4])),
      /mixup: expected labelled pictures, got masks, .*cutmix/,
    );
    for (const mixer of [classMix(), copyPaste()]) {
      const plan = mixPlan(planOf(0), items, [always(mixer)]);
      const bare = plan.plans.map((one) => ({ plan: one, width: 1, height: 1, image: new Uint8Array(3) }));
      assert.throws(() => mixedSample(plan, bare), /expected samples with masks, got none; use mixup/);
    }
  });

  it('refuses an alpha that is no distribution', () => {
    for (const alpha of [0, -1, Number.NaN, Infinity])
      assert.throws(() => mixup({ alpha }), /mixup: expected alpha to be a number above 0, got/);
  });
});

describe('cutMix', () => {
  it('takes one rectangle, whose area is uniform for an alpha of 1', () => {
    let sum = 0;
    for (let seed = 0; seed < 300; seed++) {
      const { result } = mixed(cutMix(), (plan) => draw(plan, [20, 20], () => plan.index), seed);
      const other = [...result.mask.keys()].filter((i) => result.mask[i] !== 0);
      if (other.length === 0) continue;
      const [xs, ys] = [other.map((i) => i % 20), other.map((i) => Math.floor(i / 20))];
      const side = (values: number[]) => Math.max(...values) - Math.min(...values) + 1;
      assert.equal(other.length, side(xs) * side(ys));
      sum += other.length / 400;
    }
    // Without the cut at the border the mean would be .5; with it, the mean of s²·(1 − s/4)² for a uniform s².
    const exact = 1 / 2 - 1 / 5 + 1 / 48;
    assert.ok(Math.abs(sum / 300 - exact) < 0.06, `${sum / 300} ${exact}`);
  });
});

describe('classMix', () => {
  it('takes half of the classes whole, and never ignored pixels', () => {
    const { samples, result } = mixed(classMix(), (plan) =>
      draw(plan, [10, 10], (x) => (plan.index === 0 ? 9 : x < 8 ? Math.floor(x / 2) : 255)),
    );
    const partner = samples[1]!.mask;
    const taken = new Set([...result.mask].filter((id) => id !== 9));
    assert.equal(taken.size, 2);
    result.mask.forEach((id, i) => assert.equal(id, taken.has(partner[i]!) ? partner[i] : 9));
  });

  it('takes nothing of a partner of one class', () => {
    const { result, samples } = mixed(classMix(), (plan) => draw(plan, [4, 4], () => plan.index));
    assert.deepEqual(result.mask, samples[0]!.mask);
  });
});

describe('copyPaste', () => {
  it('pastes whole objects: connected regions, inside and border together, but no background', () => {
    // Two things of the classes 1 and 2 (its border), apart on a background of class 0; ours is all 5.
    const things = (x: number, y: number) => {
      if (y < 1 || y > 4) return 0;
      if (x >= 1 && x <= 3) return x === 2 ? 1 : 2;
      return x >= 6 && x <= 9 ? 1 : 0;
    };
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const { result } = mixed(
        copyPaste(),
        (plan) => draw(plan, [12, 6], plan.index === 0 ? () => 5 : things),
        seed,
      );
      const at = (x: number) => result.mask[2 * 12 + x];
      const [first, second] = [at(2) === 1, at(7) === 1];
      seen.add(`${first} ${second}`);
      result.mask.forEach((id, i) => {
        const [x, y] = [i % 12, Math.floor(i / 12)];
        const thing = things(x, y);
        assert.equal(id, thing !== 0 && (x < 5 ? first : second) ? thing : 5);
      });
    }
    assert.equal(seen.size, 4);
  });

  it('takes the background that it is told', () => {
    for (let seed = 0; seed < 10; seed++) {
      const { result } = mixed(
        copyPaste({ background: 1 }),
        (plan) => draw(plan, [6, 6], (x) => (plan.index === 0 ? 5 : x < 4 ? 0 : 1)),
        seed,
      );
      assert.ok(!result.mask.includes(1));
    }
  });
});

describe('mosaic', () => {
  it('shows four pictures, one in each quarter', () => {
    for (let seed = 0; seed < 30; seed++) {
      const { result } = mixed(mosaic(), (plan) => draw(plan, [40, 20], () => plan.index), seed);
      const corners = [0, 39, 19 * 40, 19 * 40 + 39].map((i) => result.mask[i]!);
      assert.ok(corners.includes(0));
      assert.deepEqual(new Set(result.mask), new Set(corners));
      // Each is even: the colours of a picture are those of its mask, also where it was resized.
      result.mask.forEach((id, i) => assert.equal(result.image[3 * i], 10 * id));
      for (const { plan, share } of result.parts!) assert.ok(share > 0.08 && corners.includes(plan.index));
    }
  });

  it('resizes image and mask alike', () => {
    const ramp = (plan: SamplePlan) => draw(plan, [40, 40], (x, y) => Math.floor((x + y) / 4));
    const { result } = mixed(mosaic(), ramp);
    result.mask.forEach((id, i) => {
      const [x, y] = [i % 40, Math.floor(i / 40)];
      const inner = x > 1 && y > 1 && x < 38 && y < 38;
      if (inner) assert.ok(Math.abs(result.image[3 * i]! / 10 - id) <= 1.5, `${x} ${y}`);
    });
  });
});

describe('several mixers', () => {
  it('are applied in order, and their shares multiply', () => {
    const half: Mixer = { name: 'half', p: 1, partners: 1, mix: () => [0.5, 0.5] };
    const plan = mixPlan(planOf(0), items, [half, { ...half, name: 'again' }]);
    const { parts } = mixedSample(plan, plan.plans.map(blocks([2, 2]))) as MaskedSample & Mixed;
    assert.deepEqual(
      parts!.map(({ share }) => share),
      [0.25, 0.25, 0.5],
    );
    assert.deepEqual(
      parts!.map(({ plan: { index } }) => index),
      plan.plans.map(({ index }) => index),
    );
  });
});
