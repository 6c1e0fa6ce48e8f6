import type { Tensor } from '@tensorflow/tfjs-core';
import { reshape, transpose } from '../../base/tfjs-core.js';

/** The finer grid on which a head works below its patches. */
export interface FineGrid {
  /** Cells of it along the side of a patch: a power of two. */
  readonly factor: number;
  /** Side of a cell in pixels. */
  readonly stride: number;
}

/** Halves a patch while cells of at least four pixels remain: 16 → 4 × 4 cells of 4 pixels, 14 → 2 × 2 of 7. */
export function fineGrid(patch: number): FineGrid {
  let factor = 1;
  while (patch % (2 * factor) === 0 && patch / (2 * factor) >= 4) factor *= 2;
  return { factor, stride: patch / factor };
}

/**
 * Cuts pictures into cells: [batch, h·side, w·side, channels] → [batch, h, w, side·side·channels], a cell's pixels row by
 * row. A linear map of the result is a convolution whose kernel and stride are `side`.
 */
export function spaceToDepth(x: Tensor, side: number): Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [rows, columns] = [height / side, width / side];
  const cells = transpose(reshape(x, [batch, rows, side, columns, side * channels]), [0, 1, 3, 2, 4]);
  return reshape(cells, [batch, rows, columns, side * side * channels]);
}

/**
 * The inverse of `spaceToDepth`: [batch, h, w, side·side·channels] → [batch, h·side, w·side, channels]. After a linear
 * map it is a transposed convolution whose kernel and stride are `side` (Shi et al. 2016, arXiv:1609.05158).
 */
export function depthToSpace(x: Tensor, side: number): Tensor {
  const [batch, rows, columns, all] = x.shape as [number, number, number, number];
  const channels = all / (side * side);
  const cells = transpose(reshape(x, [batch, rows, columns, side, side * channels]), [0, 1, 3, 2, 4]);
  return reshape(cells, [batch, rows * side, columns * side, channels]);
}
