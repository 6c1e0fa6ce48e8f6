import type { Tensor } from '@tensorflow/tfjs-core';
import { matMul, mul, reshape, slice, transpose } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { expectCount, expectShape } from '../shapes.js';

/**
 * A low-rank change of a linear map, x ↦ scale·(x·A)·B, in K × K blocks: y_i = scale·Σ_j (x_j·A_ji)·B_ji over the K
 * chunks of input and output.
 *
 * Shapes: a [in, r] and b [r, out] for K = 1. Else a [K, in/K, K·r] holds for input chunk j the factors of all
 * outputs side by side, and b [K, K·r, out/K] for output chunk i those of all inputs.
 */
export interface LowRank {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly scale: number;
}

/** Refuses factors that do not fit a map with this many inputs and outputs. */
export function expectLowRank(operation: string, { a, b }: LowRank, inputs: number, outputs: number): void {
  if (a.rank !== 3) {
    expectShape(operation, 'A', a, [inputs, -1]);
    expectShape(operation, 'B', b, [a.shape[1]!, outputs]);
    return;
  }
  const [K, , width] = a.shape as [number, number, number];
  expectCount(operation, 'the blocks of A', K);
  expectCount(operation, 'the rank of a block', width / K);
  expectShape(operation, 'A', a, [K, inputs / K, width]);
  expectShape(operation, 'B', b, [K, width, outputs / K]);
}

/** K, and the columns of `a`. */
export function blocksOf({ a }: LowRank): { readonly blocks: number; readonly width: number } {
  return { blocks: a.rank === 3 ? a.shape[0]! : 1, width: a.shape.at(-1)! };
}

/** scale·x·A of x [rows, in] as [K, rows, K·r]: for each output chunk, the input of `b`. */
export function down(x: Tensor, { a, scale }: LowRank): Tensor {
  const [rows, inputs] = x.shape as [number, number];
  if (a.rank === 2) return reshape(mul(matMul(x as Tensor, a), scale), [1, rows, a.shape[1]!]);
  const K = a.shape[0]!;
  const chunks = transpose(reshape(x, [rows, K, inputs / K]), [1, 0, 2]);
  return mul(swapped(matMul(chunks, a)), scale);
}

/** low·B as [rows, out]. */
export function up(low: Tensor, b: Tensor): Tensor {
  const [K, rows, width] = low.shape as [number, number, number];
  if (b.rank === 2) return matMul(reshape(low, [rows, width]), b);
  return reshape(transpose(matMul(low, b), [1, 0, 2]), [rows, K * b.shape[2]!]);
}

/** The whole change of x [..., in] → [..., out], in plain tfjs. */
export function lowRankChange(x: Tensor, change: LowRank): Tensor {
  const { a, b } = change;
  const inputs = x.shape.at(-1)!;
  const y = up(down(reshape(x, [x.size / inputs, inputs]), change), b);
  const K = a.rank === 3 ? a.shape[0]! : 1;
  return reshape(y, [...x.shape.slice(0, -1), K * b.shape.at(-1)!]);
}

/** From factors by input chunk to factors by output chunk, and back: [K, rows, K·r]. */
export function swapped(low: Tensor): Tensor {
  const [K, rows, width] = low.shape as [number, number, number];
  if (K === 1) return low;
  return reshape(transpose(reshape(low, [K, rows, K, width / K]), [2, 1, 0, 3]), [K, rows, width]);
}

/** [rows, K·n] → [K, rows, n]. */
export function chunked(x: Tensor, K: number): Tensor {
  const [rows, n] = x.shape as [number, number];
  return K === 1 ? reshape(x, [1, rows, n]) : transpose(reshape(x, [rows, K, n / K]), [1, 0, 2]);
}

/** The gradient of scale·x·A, [K, rows, K·r]: scale·dy·Bᵀ for every output chunk. */
export const lowRankGrad = defineOp<{ dy: Tensor; b: Tensor }, { readonly scale: number }>({
  name: 'LowRankGrad',
  plain: ({ dy, b }, { scale }) => {
    const factors = b.rank === 2 ? reshape(b, [1, ...b.shape]) : b;
    const outputs = dy.shape.at(-1)!;
    const chunks = chunked(reshape(dy, [dy.size / outputs, outputs]), factors.shape[0]!);
    return mul(matMul(chunks, factors, false, true), scale);
  },
});

/** dA = xᵀ·dLow, in the shape of `a`. */
export const lowRankGradA = defineOp<{ x: Tensor; dLow: Tensor }, { readonly shape: readonly number[] }>({
  name: 'LowRankGradA',
  plain: ({ x, dLow }, { shape }) => {
    const inputs = x.shape.at(-1)!;
    const chunks = chunked(reshape(x, [x.size / inputs, inputs]), dLow.shape[0]!);
    return reshape(matMul(chunks, swapped(dLow), true, false), [...shape]);
  },
});

interface Place {
  readonly shape: readonly number[];
  /** The start of this map's part of `low`. */
  readonly at: number;
}

/** dB = lowᵀ·dy, in the shape of `b`. */
export const lowRankGradB = defineOp<{ low: Tensor; dy: Tensor }, Place>({
  name: 'LowRankGradB',
  plain: ({ low, dy }, { shape, at }) => {
    const K = shape.length === 3 ? shape[0]! : 1;
    const width = shape.at(-2)!;
    const outputs = dy.shape.at(-1)!;
    const rows = dy.size / outputs;
    const part = reshape(slice(low, [at], [K * rows * width]), [K, rows, width]);
    return reshape(matMul(part, chunked(reshape(dy, [rows, outputs]), K), true, false), [...shape]);
  },
});
