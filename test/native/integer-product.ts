const { fround } = Math;

/** Numbers, weights and the length of a block: native/src/integer-tiles.h says why. */
const FORMATS = { int16: { most: 8191, block: 64 }, int8: { most: 127, block: 32768 } } as const;

/** Rounds to the nearest, ties to even. */
function rounded(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

/** Integers of numbers that share a scale, and the scale. */
function integers(numbers: Float32Array, most: number): { values: Int32Array; scale: number } {
  const largest = numbers.reduce((top, x) => Math.max(top, Math.abs(x)), 0);
  const inverse = fround(most / largest);
  return {
    values: Int32Array.from(numbers, (x) => rounded(fround(x * inverse))),
    scale: fround(largest / most),
  };
}

/**
 * x [rows, k] · weight [k, n] one number at a time, with sums of integers that are exact and every other step in f32, in
 * the order of the addon.
 */
export function integerProduct(
  precision: keyof typeof FORMATS,
  mostOfWeight: number,
  x: Float32Array,
  weight: Float32Array,
  k: number,
): Float32Array {
  const { most, block } = FORMATS[precision];
  const n = weight.length / k;
  const rows = Array.from({ length: x.length / k }, (_, r) => integers(x.subarray(r * k, (r + 1) * k), most));
  const columns = Array.from({ length: n }, (_, c) =>
    integers(
      Float32Array.from({ length: k }, (_, i) => weight[i * n + c]!),
      mostOfWeight,
    ),
  );
  return Float32Array.from({ length: rows.length * n }, (_, at) => {
    const [row, column] = [rows[Math.floor(at / n)]!, columns[at % n]!];
    let sum = 0;
    for (let from = 0; from < k; from += block) {
      let whole = 0;
      for (let i = from; i < Math.min(from + block, k); i++) whole += row.values[i]! * column.values[i]!;
      if (Math.abs(whole) >= 2 ** 31) throw new Error(`a sum of ${whole} overflows 32 bits`);
      sum = fround(sum + fround(whole));
    }
    return sum * fround(row.scale * column.scale);
  });
}
