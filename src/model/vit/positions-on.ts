import type { Tensor } from '@tensorflow/tfjs-core';
import { concat, matMul, reshape, slice, tensor2d } from '../../base/tfjs-core.js';
import { type Grid, gridOf, type VitConfig } from './config.js';
import { interpolatePositions } from './positions.js';

/**
 * The position embeddings of a model on the grid of the pictures that it is given: its own, or else interpolated as
 * `interpolatePositions` does, as a product with a constant matrix, so that gradients reach them.
 *
 * @param positions [1, patches, hidden], after the class token's row where there is one
 */
export function positionsOn(to: Grid, config: VitConfig, positions: Tensor): Tensor {
  const from = gridOf(config);
  if (from.rows === to.rows && from.columns === to.columns) return positions;
  const { hidden_size: hidden } = config;
  const patches = from.rows * from.columns;
  const leading = positions.shape[1]! - patches;
  const own = reshape(slice(positions, [0, leading, 0], [1, patches, hidden]), [patches, hidden]);
  const moved = matMul(tensor2d(weights(from, to), [to.rows * to.columns, patches]), own);
  const grid = reshape(moved, [1, to.rows * to.columns, hidden]);
  return leading > 0 ? concat([slice(positions, [0, 0, 0], [1, leading, hidden]), grid], 1) : grid;
}

const known = new Map<string, Float32Array>();

/** The weight of each patch of one grid in each of another, row by row. */
function weights(from: Grid, to: Grid): Float32Array {
  const key = [from.rows, from.columns, to.rows, to.columns].join();
  const patches = from.rows * from.columns;
  let result = known.get(key);
  if (!result) {
    const units = new Float32Array(patches * patches);
    for (let i = 0; i < patches; i++) units[i * patches + i] = 1;
    result = interpolatePositions(units, patches, from, to);
    known.set(key, result);
  }
  return result;
}
