import assert from 'node:assert/strict';
import fc from 'fast-check';
import { thinned } from '../../src/dashboard/page/thinned.js';

describe('thinned', () => {
  it('leaves a curve of few points as it is', () => {
    const curve = { steps: [1, 2, 3], values: [1, null, 3] };
    assert.equal(thinned(curve, 3), curve);
  });

  it('takes means of neighbours that are not missing, at the step of the last one', () => {
    const curve = { steps: [1, 2, 3, 4, 5, 9, 10], values: [1, 3, null, 4, null, null, 7] };
    assert.deepEqual(thinned(curve, 4), { steps: [2, 4, 9, 10], values: [2, 4, null, 7] });
    assert.deepEqual(thinned(curve, 2), { steps: [4, 10], values: [8 / 3, 7] });
  });

  it('keeps to its bound, ends where the curve ends, and stays between its values', () => {
    const values = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 50 }), (values, most) => {
        const curve = { steps: values.map((_, i) => i + 1), values };
        const { steps, values: means } = thinned(curve, most);
        assert.ok(steps.length <= most && steps.length === means.length);
        assert.equal(steps.at(-1), values.length);
        for (const mean of means) assert.ok(mean! >= Math.min(...values) && mean! <= Math.max(...values));
      }),
    );
  });

  it('gives curves of equal steps equal steps', () => {
    const curve = (value: number) => ({
      steps: Array.from({ length: 100 }, (_, i) => i),
      values: Array.from({ length: 100 }, () => value),
    });
    assert.deepEqual(thinned(curve(1), 30).steps, thinned(curve(2), 30).steps);
  });
});
