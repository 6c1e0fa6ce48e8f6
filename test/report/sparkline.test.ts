import assert from 'node:assert/strict';
import { rangeOf, sparkline } from '../../src/report/sparkline.js';

describe('sparkline', () => {
  it('maps the least value to the lowest bar and the greatest to the highest', () => {
    assert.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7]), '▁▂▃▄▅▆▇█');
    assert.equal(sparkline([]), '');
  });
  it('shows what is no number as a blank, and a constant in the middle', () => {
    assert.equal(sparkline([0, Number.NaN, 7]), '▁ █');
    assert.equal(sparkline([3, 3]), '▅▅');
  });
  it('averages what does not fit', () => {
    assert.equal(sparkline([0, 0, 7, 7], { width: 2 }), '▁█');
    assert.equal(sparkline(Array(1000).fill(1), { width: 40 }).length, 40);
  });
  it('shares a range with others', () => {
    assert.deepEqual(rangeOf([2, Number.NaN, -1]), [-1, 2]);
    assert.equal(sparkline([7, 7], { range: [0, 7] }), '██');
  });
});
