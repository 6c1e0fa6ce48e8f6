import assert from 'node:assert/strict';
import fc from 'fast-check';
import { lastValueFrom, of, toArray } from 'rxjs';
import { kFold } from '../../operators/k-fold.js';
import { kFolds } from '../../src/data/k-fold.js';
import { splitPairs } from '../../src/data/split.js';

interface Scan {
  readonly stem: string;
  readonly patient: string;
  readonly className: string;
}
const scans = fc
  .array(fc.tuple(fc.nat(30), fc.constantFrom('healthy', 'ill')), { minLength: 12, maxLength: 120 })
  .map((all) =>
    all.map(([patient, className], i): Scan => ({ stem: `${i}`, patient: `p${patient}`, className })),
  );
const groups = ({ patient }: Scan) => patient;
const by = ({ className }: Scan) => className;

describe('splits by group', () => {
  it('put no group into two splits, and each item into one', () => {
    fc.assert(
      fc.property(
        scans,
        fc.constantFrom('upstream' as const, 'hash' as const),
        fc.constantFrom(undefined, by),
        fc.nat(1000),
        (items, rule, strata, seed) => {
          // A seed whose only groups all fall into one split is refused.
          fc.pre(new Set(items.map(groups)).size > 8);
          const { train, validation, test } = splitPairs(items, { seed, rule, groups, by: strata });
          assert.deepEqual(
            [...train, ...validation, ...test].map(({ stem }) => stem).toSorted(),
            items.map(({ stem }) => stem).toSorted(),
          );
          const patients = [train, validation, test].map((some) => new Set(some.map(groups)));
          const all = new Set(items.map(groups)).size;
          assert.equal(
            patients.reduce((sum, { size }) => sum + size, 0),
            all,
          );
        },
      ),
    );
  });

  it('come near to the shares of the items', () => {
    const items = Array.from({ length: 1000 }, (_, i) => ({
      stem: `${i}`,
      patient: `p${i % 100}`,
      className: '',
    }));
    const { train, validation, test } = splitPairs(items, { seed: 1, groups });
    assert.deepEqual([train.length, validation.length, test.length], [700, 200, 100]);
    const half = splitPairs(items, { seed: 1, groups, percentage: 0.5, shrink: 'keep-test' });
    assert.deepEqual([half.train.length, half.validation.length, half.test], [350, 100, test]);
  });

  it('by hash move no group when others are added', () => {
    const items = Array.from({ length: 300 }, (_, i) => ({
      stem: `${i}`,
      patient: `p${i % 60}`,
      className: '',
    }));
    const few = splitPairs(
      items.filter((item) => Number(item.patient.slice(1)) < 30),
      { seed: 1, rule: 'hash', groups },
    );
    const all = splitPairs(items, { seed: 1, rule: 'hash', groups });
    const patients = new Set(all.test.map(groups));
    assert.ok(few.test.length > 0 && few.test.every((item) => patients.has(item.patient)));
  });
});

describe('kFolds', () => {
  it('validates each item in one fold, trains on it in the others, and keeps groups whole', () => {
    fc.assert(
      fc.property(scans, fc.integer({ min: 2, max: 5 }), fc.nat(1000), (items, folds, seed) => {
        fc.pre(new Set(items.map(groups)).size >= folds);
        const all = kFolds(items, { folds, seed, groups, by });
        assert.equal(all.length, folds);
        assert.deepEqual(
          all.flatMap(({ validation }) => validation.map(({ stem }) => stem)).toSorted(),
          items.map(({ stem }) => stem).toSorted(),
        );
        for (const { train, validation, test } of all) {
          assert.equal(train.length + validation.length, items.length);
          assert.deepEqual(test, []);
          const own = new Set(validation.map(groups));
          assert.ok(validation.length > 0 && train.every((item) => !own.has(groups(item))));
        }
      }),
    );
  });

  it('gives each fold its share of each class', async () => {
    const items = Array.from({ length: 50 }, (_, i) => ({ stem: `${i}`, className: i < 40 ? 'a' : 'b' }));
    const options = { folds: 5, seed: 42, by: (item: { readonly className: string }) => item.className };
    const folds = await lastValueFrom(of(items).pipe(kFold<(typeof items)[number]>(options), toArray()));
    assert.deepEqual(
      folds.map(({ validation }) => validation.filter(({ className }) => className === 'b').length),
      [2, 2, 2, 2, 2],
    );
    assert.deepEqual(folds, kFolds(items, options));
    assert.notDeepEqual(folds, kFolds(items, { ...options, seed: 43 }));
  });

  it('refuses more folds than there are', () => {
    const items = [1, 2, 3].map((i) => ({ stem: `${i}`, patient: 'p' }));
    assert.throws(() => kFolds(items, { folds: 4, seed: 1 }), /from 2 to the 3 items, got 4/);
    assert.throws(
      () => kFolds(items, { folds: 2, seed: 1, groups: ({ patient }) => patient }),
      /to the 1 groups, got 2/,
    );
    assert.throws(() => kFolds(items, { folds: 1, seed: 1 }), /folds: expected a number from 2/);
  });
});
