import assert from 'node:assert/strict';
import fc from 'fast-check';
import { balance } from '../../src/data/balance.js';
import { batchPlans } from '../../src/data/batch-plans.js';
import { interleave } from '../../src/data/interleave.js';
import type { Order } from '../../src/data/order.js';
import { sequence } from '../../src/data/sequence.js';

const places = (order: Order, count: number, epoch = 1) => {
  const at = order(count, 7, epoch);
  return Array.from({ length: count }, (_, place) => at(place));
};
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const items = (n: number) => sequence(n, (i) => ({ stem: `${i}`, image: `${i}.jpg` }));

describe('interleave', () => {
  const shards = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 });
  const options = fc.record({
    cycle: fc.integer({ min: 1, max: 5 }),
    buffer: fc.integer({ min: 1, max: 40 }),
  });

  it('visits each item once an epoch', () => {
    fc.assert(
      fc.property(shards, options, (lengths, how) => {
        const count = sum(lengths);
        assert.deepEqual(
          places(interleave(lengths, how), count).toSorted((a, b) => a - b),
          [...Array(count).keys()],
        );
      }),
    );
  });

  it('goes on at any position as an unbroken run does', () => {
    fc.assert(
      fc.property(shards, options, fc.nat(50), (lengths, how, from) => {
        const plan = { epochs: 2, batchSize: 4, seed: 3, shuffle: interleave(lengths, how) };
        const all = [...batchPlans(items(sum(lengths)), plan)];
        const rest = batchPlans(items(sum(lengths)), { ...plan, shuffle: interleave(lengths, how), from });
        assert.deepEqual([...rest], all.slice(from));
        assert.equal(rest.length, all.slice(from).length);
      }),
    );
  });

  it('reads a few shards at a time, each near to the order it is stored in', () => {
    const lengths = Array.from({ length: 20 }, () => 100);
    const [cycle, buffer] = [4, 40];
    const order = places(interleave(lengths, { cycle, buffer }), 2000);
    for (let block = 0; block < 5; block++) {
      const some = order.slice(400 * block, 400 * (block + 1));
      assert.equal(new Set(some.map((index) => Math.floor(index / 100))).size, cycle);
      for (let at = 0; at < 400; at += buffer) {
        const window = some.slice(at, at + buffer);
        const own = window.map((index) => index % 100);
        assert.ok(Math.max(...own) - Math.min(...own) < buffer / cycle, 'a window of ten items a shard');
        assert.notDeepEqual(
          window,
          window.toSorted((a, b) => a - b),
        );
      }
    }
    assert.notDeepEqual(order, places(interleave(lengths, { cycle, buffer }), 2000, 2));
  });

  it('refuses shards of another number of items', () => {
    assert.throws(() => interleave([3, 4])(8, 1, 1), /expected shards of 8 items in all, got 7 in 2/);
    assert.throws(() => interleave([3], { buffer: 0 }), /buffer: expected an integer from 1 up, got 0/);
  });
});

describe('balance', () => {
  const weights = fc
    .array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 40 })
    .filter((all) => sum(all) > 0);

  it('visits each item in proportion to its weight, rounded up or down', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 5 }), (all, epoch) => {
        const count = all.length;
        const order = places(balance([...all.keys()], { weight: (i) => all[i]! }), count, epoch);
        for (const [i, weight] of all.entries()) {
          const share = (count * weight) / sum(all);
          const visits = order.filter((index) => index % count === i);
          assert.ok(visits.length >= Math.floor(share - 1e-9) && visits.length <= Math.ceil(share + 1e-9));
          assert.deepEqual(
            visits.map((index) => Math.floor(index / count)).toSorted((a, b) => a - b),
            [...visits.keys()],
          );
        }
      }),
    );
  });

  it('gives classes equal shares, and other items to each epoch', () => {
    const classes = [...Array<string>(90).fill('cat'), ...Array<string>(10).fill('dog')];
    const order = balance([...classes.keys()], { by: (i) => classes[i]! });
    const epochs = [1, 2, 3].map((epoch) => places(order, 100, epoch));
    for (const epoch of epochs)
      assert.equal(epoch.filter((index) => classes[index % 100] === 'dog').length, 50);
    const cats = epochs.map((epoch) => new Set(epoch.filter((index) => index % 100 < 90)));
    assert.notDeepEqual(cats[0], cats[1]);
  });

  it('plans items, and repeats them as samples of their own', () => {
    const two = [
      { stem: 'a', image: 'a.png', className: 'a' },
      { stem: 'b', image: 'b.png', className: 'b' },
      { stem: 'c', image: 'c.png', className: 'b' },
      { stem: 'd', image: 'd.png', className: 'b' },
    ];
    const shuffle = balance(two, { by: ({ className }) => className });
    const [plan] = [...batchPlans(two, { batchSize: 4, seed: 1, shuffle })];
    const ofA = plan!.samples.filter(({ item }) => item.stem === 'a');
    assert.deepEqual(ofA.map(({ index }) => index).toSorted(), [0, 4]);
  });

  it('refuses weights that are none', () => {
    assert.throws(
      () => balance([1, 2], { weight: () => Number.NaN }),
      /expected weights from 0 up, got NaN for item 0/,
    );
    assert.throws(() => balance([1, 2], { weight: () => 0 }), /expected an item with a weight above 0/);
  });
});
