import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor2d } from '../../base/tfjs-core.js';
import { type Grid, leadingTokens, type VitConfig } from './config.js';

/**
 * The rotations of queries and keys at each token of a grid; undefined for a model with a table of positions.
 *
 * Rotary positions as in DINOv3 (Siméoni et al. 2025): the centre of a patch has coordinates y and x from −1 to 1, whatever
 * the grid, and pair i of the h/2 pairs of a head of width h turns by 2π·y·θ^(−4i/h), those of the second half of pairs by
 * x in place of y. The class token and registers are not turned.
 *
 * Shapes: cos and sin [tokens, h/2].
 */
export function rotations(
  config: VitConfig,
  { rows, columns }: Grid,
): { cos: Tensor; sin: Tensor } | undefined {
  const { rope_theta: base, hidden_size: width, num_attention_heads: heads } = config;
  if (base === undefined) return undefined;
  const half = width / heads / 2;
  const leading = leadingTokens(config);
  const angles = new Float64Array((leading + rows * columns) * half);
  let at = leading * half;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (const [place, count] of [
        [row, rows],
        [column, columns],
      ] as const)
        for (let i = 0; i < half / 2; i++) {
          const coordinate = (2 * (place + 0.5)) / count - 1;
          angles[at++] = 2 * Math.PI * coordinate * base ** ((-2 * i) / half);
        }
  const tensorOf = (of: (angle: number) => number) =>
    tensor2d(Float32Array.from(angles, of), [angles.length / half, half]);
  return { cos: tensorOf(Math.cos), sin: tensorOf(Math.sin) };
}
