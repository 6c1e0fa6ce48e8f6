import type { Grid } from './config.js';

/**
 * Resamples position embeddings to another grid: bicubic, `align_corners=False`, with the rows before the grid's
 * (the class token's, where there is one) unchanged.
 *
 * The kernel is Keys' cubic convolution (1981) with a = −0.75, borders repeated, no antialiasing: what PyTorch's
 * `interpolate(mode="bicubic")` computes. Rows: those before the grid's, and
 * rows · columns of the grid, `width` numbers each.
 */
export function interpolatePositions(rows: Float32Array, width: number, from: Grid, to: Grid): Float32Array {
  if (from.rows === to.rows && from.columns === to.columns) return rows;
  const first = rows.length - width * from.rows * from.columns;
  const grid = rows.subarray(first);
  const tall = alongAxis(grid, from.rows, to.rows, from.columns * width, 1);
  const wide = alongAxis(tall, from.columns, to.columns, width, to.rows);
  const result = new Float32Array(first + width * to.rows * to.columns);
  result.set(rows.subarray(0, first));
  result.set(wide, first);
  return result;
}

/** Resamples the middle axis of [outer, from, inner]. */
function alongAxis(data: Float32Array, from: number, to: number, inner: number, outer: number): Float32Array {
  const result = new Float32Array(outer * to * inner);
  for (let i = 0; i < to; i++) {
    const at = ((i + 0.5) * from) / to - 0.5;
    const low = Math.floor(at);
    for (let tap = -1; tap <= 2; tap++) {
      const weight = cubic(at - low - tap);
      const source = Math.min(from - 1, Math.max(0, low + tap));
      for (let o = 0; o < outer; o++)
        for (let k = 0; k < inner; k++)
          result[(o * to + i) * inner + k]! += weight * data[(o * from + source) * inner + k]!;
    }
  }
  return result;
}

function cubic(distance: number, a = -0.75): number {
  const x = Math.abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
