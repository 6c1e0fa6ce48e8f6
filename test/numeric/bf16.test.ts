import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fromBf16, toBf16 } from '../../src/numeric/bf16.js';

function rounded(...values: number[]): number[] {
  const result = new Float32Array(values.length);
  fromBf16(toBf16(Float32Array.from(values)), result);
  return [...result];
}

describe('bf16', () => {
  it('keeps what has 8 bits, and rounds ties to even', () => {
    assert.deepEqual(rounded(0, -0, 1, -1.5, 256), [0, -0, 1, -1.5, 256]);
    // 1 + 2⁻⁸ lies between 1 and 1 + 2⁻⁷; 1 + 3·2⁻⁸ between 1 + 2⁻⁷ and 1 + 2⁻⁶.
    assert.deepEqual(rounded(1 + 2 ** -8, 1 + 3 * 2 ** -8), [1, 1 + 2 ** -6]);
    assert.deepEqual(rounded(Infinity, -Infinity, 3.4e38, Number.NaN), [
      Infinity,
      -Infinity,
      Infinity,
      Number.NaN,
    ]);
  });

  it('keeps a NaN whose low bits alone are set', () => {
    const nan = new Float32Array(Uint32Array.of(0x7f800001).buffer);
    const result = new Float32Array(1);
    fromBf16(toBf16(nan), result);
    assert.ok(Number.isNaN(result[0]));
  });

  it('is off by half a unit at most', () => {
    fc.assert(
      fc.property(fc.float({ min: -(2 ** 100), max: 2 ** 100, noNaN: true }), (value) => {
        fc.pre(Math.abs(value) > 1e-30);
        const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 7);
        assert.ok(Math.abs(rounded(value)[0]! - value) <= unit / 2);
      }),
    );
  });
});
