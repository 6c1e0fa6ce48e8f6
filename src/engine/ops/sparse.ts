import type { Tensor } from '@tensorflow/tfjs-core';
import { concat, gather, reshape, tensor1d, zeros } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';

/** Where the values of a sparse matrix are, counted row by row. */
export interface SparsePlaces {
  /** The place of each value. */
  readonly at: Int32Array;
  /** For each element of the matrix the number of its value, from 1; 0 where there is none. */
  readonly value: Int32Array;
  readonly shape: readonly [number, number];
}

/** The places of values in a matrix. */
export function sparsePlaces(at: Int32Array, shape: readonly [number, number]): SparsePlaces {
  const value = new Int32Array(shape[0] * shape[1]);
  at.forEach((place, i) => (value[place] = i + 1));
  return { at, value, shape };
}

const run = defineOp<{ values: Tensor }, { readonly places: SparsePlaces }>({
  name: 'SparseMatrix',
  // By a gather, which all engines have, in place of a scatter.
  plain: ({ values }, { places: { value, shape } }) =>
    reshape(gather(concat([zeros([1]), values]), tensor1d(value, 'int32')), [...shape]),
  gradient: (dy, _saved, { places: { at } }) => ({
    values: () => gather(reshape(dy, [dy.size]), tensor1d(at, 'int32')),
  }),
});

/** A matrix with these values at their places and zeros elsewhere. Shapes: values [n] → [rows, columns]. */
export function sparseMatrix(values: Tensor, places: SparsePlaces): Tensor {
  return run({ values }, { places })[0]!;
}
