import assert from 'node:assert/strict';
import fc from 'fast-check';
import { batchPlans } from '../../src/data/batch-plans.js';
import { concatenate, repeat, type Sequence, sequence, shard, slice } from '../../src/data/sequence.js';

const items = (n: number): Sequence<{ stem: string; image: string }> =>
  sequence(n, (i) => ({ stem: `${i}`, image: `${i}.jpg` }));
const numbers = fc.array(fc.nat(), { maxLength: 20 });

describe('sequences', () => {
  it('are what arrays are: sliced, concatenated and repeated', () => {
    fc.assert(
      fc.property(
        fc.array(numbers, { maxLength: 5 }),
        fc.nat(25),
        fc.nat(25),
        fc.nat(3),
        (parts, a, b, times) => {
          const all = parts.flat();
          const joined = concatenate(...parts);
          assert.deepEqual([...joined], all);
          assert.deepEqual(
            [...all.keys()].map((i) => joined.at(i)),
            all,
          );
          assert.deepEqual([...slice(joined, a, b)], all.slice(a, Math.max(a, b)));
          assert.deepEqual([...slice(joined, a)], all.slice(a));
          assert.deepEqual([...repeat(joined, times)], Array.from({ length: times }, () => all).flat());
        },
      ),
    );
  });

  it('end where they end', () => {
    const three = sequence(3, (i) => i);
    assert.deepEqual(
      [three.at(3), three.at(-1), concatenate<number>().at(0)],
      [undefined, undefined, undefined],
    );
    assert.deepEqual([repeat([7]).length, repeat([7]).at(1e15), repeat([]).length], [Infinity, 7, 0]);
    assert.equal(concatenate([1], repeat([2]), [3]).at(1e9), 2);
  });

  it('are shared by any number of workers: each value once', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 7 }), (values, count) => {
        const shards = Array.from({ length: count }, (_, index) => [...shard(values, { index, count })]);
        const inTurn = values.map((_, i) => shards[i % count]![Math.floor(i / count)]);
        assert.deepEqual(inTurn, values);
        assert.equal(shards.flat().length, values.length);
      }),
    );
  });

  it('of plans are resumed by another number of workers without overlap or gap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(30),
        fc.nat(100),
        (n, before, after, rounds, seed) => {
          const options = { epochs: 2, batchSize: 3, seed };
          const work = (count: number, from: number) =>
            Array.from({ length: count }, (_, index) =>
              shard(batchPlans(items(n), { ...options, from }), { index, count }),
            );
          // Workers in step: after so many rounds each has consumed as many.
          const done = work(before, 0).flatMap((plans) => [...slice(plans, 0, rounds)]);
          const rest = work(after, done.length).flatMap((plans) => [...plans]);
          const all = [...done, ...rest].toSorted((a, b) => a.position - b.position);
          assert.deepEqual(all, [...batchPlans(items(n), options)]);
        },
      ),
    );
  });

  it('refuse what is no worker and no place', () => {
    for (const [index, count] of [
      [0, 0],
      [2, 2],
      [-1, 2],
      [0.5, 2],
      [0, 1.5],
    ] as const)
      assert.throws(() => shard([1], { index, count }), /shard: expected a (count of workers|worker) from/);
    assert.throws(() => slice([1], -1), /from: expected an integer from 0 up, got -1/);
    assert.throws(() => repeat([1], 1.5), /times: expected an integer/);
  });
});
