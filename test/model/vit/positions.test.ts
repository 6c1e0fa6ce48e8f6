import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { interpolatePositions } from '../../../src/model/vit/positions.js';

// Made by golden/make_positions.py.
const cases = JSON.parse(
  readFileSync(new URL('golden/positions.json', import.meta.url), 'utf8'),
) as readonly {
  readonly from: readonly [rows: number, columns: number];
  readonly to: readonly [rows: number, columns: number];
  readonly width: number;
  readonly rows: readonly number[];
  readonly resized: readonly number[];
}[];

const grid = ([rows, columns]: readonly [number, number]) => ({ rows, columns });

describe('interpolatePositions', () => {
  for (const { from, to, width, rows, resized } of cases)
    it(`from ${from.join('×')} to ${to.join('×')} is what torch's bicubic gives`, () => {
      const got = interpolatePositions(Float32Array.from(rows), width, grid(from), grid(to));
      assert.equal(got.length, resized.length);
      resized.forEach((want, i) =>
        assert.ok(Math.abs(got[i]! - want) <= 1e-5, `${i}: expected ${want}, got ${got[i]}`),
      );
    });

  it('leaves the class token as it is, and a constant grid constant', () => {
    const rows = new Float32Array(2 * 17).fill(0.5);
    rows.set([3, -4]);
    const got = interpolatePositions(rows, 2, grid([4, 4]), grid([9, 3]));
    assert.deepEqual([...got.subarray(0, 2)], [3, -4]);
    for (const value of got.subarray(2)) assert.ok(Math.abs(value - 0.5) < 1e-6);
  });
});
