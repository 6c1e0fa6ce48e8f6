import assert from 'node:assert/strict';
import { beta } from '../../src/random/beta.js';
import { randomStream } from '../../src/random/random-stream.js';

describe('beta', () => {
  for (const [a, b] of [
    [0.2, 0.2],
    [1, 1],
    [2, 5],
    [8, 0.5],
  ] as const)
    it(`has the mean and the variance of Beta(${a}, ${b})`, () => {
      const random = randomStream(1, 'beta', a, b);
      const draws = Array.from({ length: 20_000 }, () => beta(random, a, b));
      const mean = draws.reduce((x, y) => x + y, 0) / draws.length;
      const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
      const [m, v] = [a / (a + b), (a * b) / ((a + b) ** 2 * (a + b + 1))];
      // Five standard deviations of the mean; the variance within a twentieth.
      assert.ok(Math.abs(mean - m) < 5 * Math.sqrt(v / draws.length), `${mean} ${m}`);
      assert.ok(Math.abs(variance / v - 1) < 0.05, `${variance} ${v}`);
      assert.ok(draws.every((x) => x >= 0 && x <= 1));
    });

  it('is 0 or 1 for tiny parameters, and never NaN', () => {
    const random = randomStream(1, 'tiny');
    const draws = Array.from({ length: 200 }, () => beta(random, 1e-6, 1e-6));
    const ones = draws.filter((x) => x > 0.999).length;
    assert.equal(draws.filter((x) => x < 0.001).length + ones, 200);
    assert.ok(ones > 60 && ones < 140, `${ones}`);
  });
});
