import type { CellMasses, Masses } from './cell-masses.js';
import { normalMass } from './normal-mass.js';
import { cellOf, type KernelRange } from './numeric-kernels.js';

/** A kernel that is summed by itself. */
export interface SingleKernel {
  readonly centre: number;
  readonly width: number;
  readonly weight: number;
  /** Of the grid's cells, where there is one. */
  readonly masses: Masses | undefined;
}

/** The weighted sum of the kernels at a value: of densities, or on a grid of masses of its cell. */
export function sumAt(
  kernels: readonly SingleKernel[],
  range: KernelRange,
  cells: CellMasses | null,
  x: number,
): number {
  let sum = 0;
  if (range.step === null) {
    const at = range.log ? Math.log(x) : x;
    for (const { centre, width, weight } of kernels) {
      const z = (at - centre) / width;
      sum += weight * Math.exp(-0.5 * z * z);
    }
  } else if (cells) {
    for (const { centre, weight, masses } of kernels)
      sum += weight * masses!.masses[cells.place(masses!, centre, x)]!;
  } else {
    const [from, to] = cellOf(x, range);
    for (const { centre, width, weight } of kernels)
      sum += weight * normalMass((from - centre) / width, (to - centre) / width);
  }
  return sum;
}
