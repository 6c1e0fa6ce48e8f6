import assert from 'node:assert/strict';
import { normal, randomStream } from '../../src/random/random-stream.js';

describe('randomStream', () => {
  it('is a function of its key alone', () => {
    assert.equal(randomStream(42, 'shuffle', 3)(), randomStream(42, 'shuffle', 3)());
    assert.notEqual(randomStream(42, 'shuffle', 3)(), randomStream(42, 'shuffle', 4)());
  });

  it('draws from a standard normal distribution', () => {
    const random = randomStream(1, 'normal');
    const draws = Array.from({ length: 20_000 }, () => normal(random));
    const mean = draws.reduce((a, b) => a + b) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `mean ${mean}, variance ${variance}`);
  });

  it('has copies that go on with the same numbers, and do not disturb it', () => {
    const [stream, other] = [randomStream(1, 'copied'), randomStream(1, 'copied')];
    const draw = (from: () => number) => Array.from({ length: 300 }, () => from());
    assert.deepEqual(draw(stream), draw(other));
    const copy = stream.copy!();
    const second = copy.copy!();
    const next = draw(other);
    assert.deepEqual([draw(copy), draw(second), draw(stream)], [next, next, next]);
  });
});
