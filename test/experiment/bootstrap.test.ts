import assert from 'node:assert/strict';
import { bootstrap, differenceOf, intervalOf } from '../../src/experiment/bootstrap.js';
import { comparedPictures, pictureWords } from '../../src/experiment/compare-pictures.js';
import { normal, randomStream } from '../../src/random/random-stream.js';
import { pictureCounts } from '../../src/tasks/segmentation/metrics/picture-counts.js';

const mean = ({ value, one }: Readonly<Record<string, readonly number[]>>) => ({
  mean: value![0]! / one![0]!,
});
const counts = (values: readonly number[]) => values.map((value) => ({ value: [value], one: [1] }));

describe('the bootstrap', () => {
  it('has intervals as wide as theory: mean ± 1.96 standard errors', () => {
    const random = randomStream(1, 'values');
    const values = Array.from({ length: 400 }, () => normal(random));
    const [one] = bootstrap([[counts(values)]], mean, { samples: 4000 });
    const { value, low, high } = intervalOf(one!, 'mean');
    const average = values.reduce((a, b) => a + b) / 400;
    const error = Math.sqrt(values.reduce((sum, x) => sum + (x - average) ** 2, 0)) / 400;
    assert.ok(Math.abs(value - average) < 1e-12);
    assert.ok(Math.abs((high - low) / (2 * 1.96 * error) - 1) < 0.06, `${low} to ${high}`);
  });

  it('covers the true mean in about 95 of 100 data sets', () => {
    const random = randomStream(2, 'values');
    let covered = 0;
    for (let i = 0; i < 300; i++) {
      const values = Array.from({ length: 50 }, () => normal(random));
      const [one] = bootstrap([[counts(values)]], mean, { samples: 400, seed: i });
      const { low, high } = intervalOf(one!, 'mean');
      if (low <= 0 && high >= 0) covered++;
    }
    // Binomial of 300 at .95: 3.5 deviations are 13; the percentile interval of 50 values covers a little less.
    assert.ok(covered >= 268 && covered <= 298, `${covered} of 300`);
  });

  it('sees a small difference between runs on the same pictures, and none where there is none', () => {
    const random = randomStream(3, 'values');
    const a = Array.from({ length: 60 }, () => normal(random));
    const better = a.map((x) => x + 0.05 + 0.02 * normal(random));
    const same = a.map((x) => x + 0.02 * normal(random));
    const [one, two, three] = bootstrap([[counts(a)], [counts(better)], [counts(same)]], mean);
    const [first, second] = [intervalOf(one!, 'mean'), intervalOf(two!, 'mean')];
    assert.ok(first.high > second.low, 'the intervals of the two overlap');
    assert.ok(differenceOf(one!, two!, 'mean').real);
    assert.ok(!differenceOf(one!, three!, 'mean').real);
    assert.deepEqual(differenceOf(one!, one!, 'mean'), { value: 0, low: 0, high: 0, real: false });
  });

  it('draws runs, too: scores that differ from seed to seed have wide intervals', () => {
    const seeds = [0, 1, 2].map((level) => counts(Array.from({ length: 50 }, () => level)));
    const [one] = bootstrap([seeds], mean);
    const { value, low, high } = intervalOf(one!, 'mean');
    assert.deepEqual([value, low < 0.4, high > 1.6], [1, true, true]);
  });

  it('is the same for the same seed, and refuses runs of other pictures', () => {
    const values = [counts([1, 2, 3, 4])];
    assert.deepEqual(bootstrap([values], mean, { seed: 4 }), bootstrap([values], mean, { seed: 4 }));
    assert.throws(() => bootstrap([values, [counts([1])]], mean), /as many pictures/);
  });

  it('compares runs in words, over the pictures that both were scored on', () => {
    const random = randomStream(5, 'pictures');
    const domain = (run: string, wrong: number, stems: number) => ({
      run,
      domain: 'in_domain',
      style: null,
      classNames: ['a', 'b'],
      pictures: Array.from({ length: stems }, (_, stem) => {
        const target = Uint8Array.from({ length: 100 }, (_, i) => i % 2);
        const probabilities = Float32Array.from(target, (k) => Number(random() < wrong === (k === 0)));
        const both = Float32Array.from({ length: 200 }, (_, i) =>
          i % 2 === 0 ? 1 - probabilities[i >> 1]! : probabilities[i >> 1]!,
        );
        const picture = { width: 10, height: 10, probabilities: both };
        return { stem: `${stem}`, counts: pictureCounts(picture, target, { classes: 2 })! };
      }),
    });
    const found = comparedPictures(['A', 'B'], [domain('A', 0.3, 20), domain('B', 0.2, 25)]);
    assert.deepEqual(new Set(found.map(({ pictures }) => pictures)), new Set([20]));
    const words = pictureWords(found);
    assert.match(
      words,
      /^in_domain, mIoU: B is better than A, by \+0\.\d{4} \(\+0\.\d{4} to \+0\.\d{4}\)\.$/m,
    );
    assert.match(words, /^in_domain, ECE: B is better than A, by -0\.\d{4}/m);
    assert.deepEqual(comparedPictures(['A', 'C'], [domain('A', 0.3, 3), domain('B', 0.3, 3)]), []);
  });
});
