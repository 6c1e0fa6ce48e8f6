import type { Tensor } from '@tensorflow/tfjs-core';
import { depthToSpace, fineGrid } from './fine-grid.js';
import type { HeadParameter, HeadPass } from './head.js';
import { conv1 } from './layers.js';

/** By how much the features of each quarter of a ViT are enlarged: 4, 2, 1 and 1 for patches of 16. */
export function scales(patch: number): number[] {
  const { factor } = fineGrid(patch);
  return [0, 1, 2, 3].map((i) => Math.max(1, factor / 2 ** i));
}

/** Features of four blocks, all on the grid of patches, as a pyramid. */
export interface Pyramid {
  readonly parameters: readonly HeadParameter[];
  /** [batch, rows, columns, hidden] of each → [batch, rows·scale, columns·scale, width], the finest first. */
  run(levels: readonly Tensor[], pass: HeadPass): Tensor[];
}

/**
 * Makes a pyramid of a plain ViT, which has one scale (Li et al. 2022, "ViTDet", arXiv:2203.16527, § 3): by transposed
 * convolutions whose kernel is their stride, the coarse ones by 1×1 convolutions.
 */
export function pyramid(hidden: number, width: number, patch: number): Pyramid {
  const maps = scales(patch).map((scale, i) => ({
    scale,
    map: conv1(`level${i}`, hidden, scale * scale * width),
  }));
  return {
    parameters: maps.flatMap(({ map }) => map.parameters),
    run: (levels, pass) =>
      levels.map((level, i) => {
        const { scale, map } = maps[i]!;
        const x = map.run(level, pass);
        return scale === 1 ? x : depthToSpace(x, scale);
      }),
  };
}
