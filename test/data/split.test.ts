import assert from 'node:assert/strict';
import fc from 'fast-check';
import { shuffled } from '../../src/data/shuffled.js';
import { splitPairs } from '../../src/data/split.js';

const pairs = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ stem: `s${i}`, image: `${i}.jpg`, mask: `${i}.png` }));
const stems = (split: readonly { stem: string }[]) => new Set(split.map(({ stem }) => stem));

describe('splitPairs', () => {
  it("shuffles as CPython's random.seed(42); random.shuffle", () => {
    const order = shuffled([...Array(7390).keys()], 42);
    assert.deepEqual(order.slice(0, 5), [6361, 7304, 6647, 5785, 3384]);
    assert.deepEqual(order.slice(5173, 5176), [358, 1651, 5983]);
    assert.deepEqual(order.slice(6651, 6654), [411, 3805, 4243]);
  });

  // Golden: python3 -c "import random; l = list(range(10)); random.seed(2**32 + 5); random.shuffle(l); print(l)"
  it('does so for seeds of more than 32 bits', () => {
    const digits = [...Array(10).keys()];
    assert.deepEqual(shuffled(digits, 2 ** 32 + 5), [5, 3, 6, 1, 9, 0, 8, 4, 7, 2]);
    assert.deepEqual(shuffled(digits, 2 ** 32), [8, 9, 3, 2, 4, 7, 0, 6, 5, 1]);
    assert.deepEqual(shuffled(digits, 2 ** 53 - 1), [4, 2, 7, 0, 5, 9, 6, 3, 8, 1]);
  });

  it("shrinks every split by upstream's arithmetic", () => {
    const sizes = [0.25, 0.5, 0.75, 1].map((percentage) => {
      const { train, validation, test } = splitPairs(pairs(7390), { seed: 42, percentage });
      return [train.length, validation.length, test.length];
    });
    assert.deepEqual(sizes, [
      [1294, 369, 184],
      [2587, 739, 369],
      [3880, 1108, 554],
      [5173, 1478, 739],
    ]);
  });

  it('keeps the test split when asked, and nests the smaller training splits in the larger', () => {
    for (const rule of ['upstream', 'hash'] as const) {
      const full = splitPairs(pairs(500), { seed: 1, rule });
      const half = splitPairs(pairs(500), { seed: 1, rule, percentage: 0.5, shrink: 'keep-test' });
      assert.deepEqual(half.test, full.test);
      assert.ok(half.train.every((pair) => stems(full.train).has(pair.stem)));
    }
  });

  it('divides without overlap or loss', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 300 }),
        fc.nat(1e6),
        fc.constantFrom('upstream' as const, 'hash' as const),
        (n, seed, rule) => {
          const { train, validation, test } = splitPairs(pairs(n), { seed, rule });
          const all = [...train, ...validation, ...test].map(({ stem }) => stem);
          assert.deepEqual(
            all.toSorted(),
            pairs(n)
              .map(({ stem }) => stem)
              .toSorted(),
          );
        },
      ),
    );
  });

  it('moves no pair under the hash rule when files are added', () => {
    const small = splitPairs(pairs(400), { seed: 3, rule: 'hash' });
    const large = splitPairs(pairs(900), { seed: 3, rule: 'hash' });
    for (const name of ['train', 'validation', 'test'] as const)
      for (const stem of stems(small[name])) assert.ok(stems(large[name]).has(stem), `${stem} left ${name}`);
  });

  it('refuses a percentage that leaves nothing to train on', () => {
    assert.throws(
      () => splitPairs(pairs(3), { seed: 1, percentage: 0.1 }),
      /expected at least one training pair/,
    );
    assert.throws(
      () => splitPairs(pairs(3), { seed: 1, percentage: 50 }),
      /percentage: expected a share from 0 to 1/,
    );
  });
});
