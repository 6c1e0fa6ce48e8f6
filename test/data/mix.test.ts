import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mix } from '../../src/data/mix.js';
import { repeat, sequence } from '../../src/data/sequence.js';

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
const weights = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 6, maxLength: 6 });
const named = (counts: readonly number[]) =>
  counts.map((count, k) => sequence(count, (place) => ({ k, place })));

describe('mix', () => {
  it('keeps the order of each sequence, and takes none of its values twice until the first has ended', () => {
    fc.assert(
      fc.property(lengths, weights, (counts, all) => {
        const mixed = [...mix(named(counts), { weights: all.slice(0, counts.length) })];
        const taken = counts.map((_, k) => mixed.filter((value) => value.k === k).map(({ place }) => place));
        for (const places of taken) assert.deepEqual(places, [...places.keys()]);
        assert.ok(taken.some((places, k) => places.length === counts[k]));
      }),
    );
  });

  it('goes on until all have ended once, if asked, the shorter ones anew', () => {
    fc.assert(
      fc.property(lengths, weights, (counts, all) => {
        const mixed = [
          ...mix(named(counts), { weights: all.slice(0, counts.length), stop: 'all-exhausted' }),
        ];
        const taken = counts.map((_, k) => mixed.filter((value) => value.k === k).map(({ place }) => place));
        taken.forEach((places, k) => {
          assert.ok(places.length >= counts[k]!);
          assert.deepEqual(
            places,
            places.map((_, i) => i % counts[k]!),
          );
        });
        const { k } = mixed.at(-1)!;
        assert.equal(taken[k]!.length, counts[k], 'the last value is the one that was waited for');
      }),
    );
  });

  it('meets the weights as evenly as can be, at any place', () => {
    fc.assert(
      fc.property(weights, fc.nat(1_000_000), (all, start) => {
        const mixed = mix(
          all.map((_, k) => repeat([k])),
          { weights: all },
        );
        assert.equal(mixed.length, Infinity);
        const sum = all.reduce((a, b) => a + b, 0);
        const counts = all.map(() => 0);
        for (let i = 0; i < 1000; i++) counts[mixed.at(start + i)!]!++;
        // A tree of depth three rounds once a level.
        all.forEach((weight, k) => assert.ok(Math.abs(counts[k]! - (1000 * weight) / sum) <= 3.01));
      }),
      { numRuns: 30 },
    );
  });

  it('finds a place far beyond 2^32 at once, exactly', () => {
    const far = 2 ** 48;
    const mixed = mix([sequence(2 ** 49, (i) => i), sequence(2 ** 49, (i) => -i)], { weights: [1, 2] });
    const [first, negative] = [0, 1, 2, 3, 4, 5].reduce(
      ([a, b], i) => (mixed.at(far + i)! > 0 ? [a + 1, b] : [a, b + 1]),
      [0, 0],
    );
    assert.deepEqual([first, negative], [2, 4]);
    assert.ok(mixed.length > 2 ** 49 && mixed.length < 2 ** 50);
  });

  it('refuses weights that are none, and empty sequences', () => {
    assert.throws(
      () => mix([[1], [2]], { weights: [1] }),
      /expected a positive weight for each of 2 sequences, got 1$/,
    );
    assert.throws(() => mix([[1], [2]], { weights: [1, 0] }), /got 1, 0/);
    assert.throws(() => mix([[1], []]), /got none in sequence 1/);
    assert.throws(() => mix([]), /got none/);
  });
});
