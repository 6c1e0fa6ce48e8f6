import assert from 'node:assert/strict';
import { batchPlans } from '../../src/data/batch-plans.js';
import { balanceOf } from '../../src/experiment/balance.js';
import { foldOf } from '../../src/experiment/fold.js';
import { runNameOf } from '../../src/experiment/run-name.js';

const items = Array.from({ length: 30 }, (_, i) => ({
  stem: `${i}`,
  className: i < 24 ? 'cat' : 'dog',
  group: `g${i % 10}`,
  ...(i === 0 && { weight: 30 }),
}));
const settings = { split: 'upstream', randomSeed: 42, dataPercentage: 1 };

describe('balanceOf', () => {
  const drawn = (how: 'class' | 'weight' | undefined) =>
    [...batchPlans(items, { batchSize: 30, seed: 1, shuffle: balanceOf({ balance: how }, items) })]
      .flatMap(({ samples }) => samples)
      .map(({ item }) => item);

  it('draws each class equally often, or by weight where 1 is usual', () => {
    assert.equal(drawn('class').filter(({ className }) => className === 'dog').length, 15);
    // 30 of 30 + 29 · 1.
    const first = drawn('weight').filter(({ stem }) => stem === '0').length;
    assert.ok(first === 15 || first === 16, `${first}`);
    assert.equal(new Set(drawn(undefined)).size, 30);
  });
});

describe('foldOf', () => {
  it('gives each item to one of N folds, classes and groups as asked', () => {
    const folds = [1, 2, 3].map((k) => foldOf({ ...settings, fold: `${k}/3` }, items)!);
    assert.deepEqual(
      folds.flatMap(({ validation }) => validation.map(({ stem }) => stem)).toSorted(),
      items.map(({ stem }) => stem).toSorted(),
    );
    for (const { train, validation } of folds) assert.deepEqual([train.length, validation.length], [20, 10]);
    const by = ({ className }: (typeof items)[number]) => className;
    const dogs = foldOf({ ...settings, split: 'stratified', fold: '2/3' }, items, by)!.validation.map(by);
    assert.equal(dogs.filter((name) => name === 'dog').length, 2);
    const { train, validation } = foldOf({ ...settings, splitBy: 'group', fold: '1/5' }, items)!;
    const held = new Set(validation.map(({ group }) => group));
    assert.equal(held.size, 2);
    assert.ok(train.every(({ group }) => !held.has(group)));
    assert.equal(foldOf(settings, items), undefined);
  });

  it('is part of the name of a run', () => {
    const run = { mode: 'adapters', loraType: 'lora', randomSeed: 42, dataPercentage: 1 };
    assert.equal(runNameOf({ ...run, fold: '2/5' }), 'lora_42_fold2of5');
    assert.equal(runNameOf(run), 'lora_42_1');
  });
});
