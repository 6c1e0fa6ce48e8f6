import { cellMassesOf } from './cell-masses.js';
import { DistinctField } from './distinct-field.js';
import { GaussField } from './gauss-field.js';
import { GridField } from './grid-field.js';
import type { NarrowField } from './narrow-field.js';
import type { KernelRange, NumericDistribution } from './numeric-kernels.js';

/** The kind of field that suits a parameter, by its grid. */
export function fieldFor(distribution: NumericDistribution, range: KernelRange, width: number): NarrowField {
  if (range.step === null) return new GaussField(range, width);
  const points = Math.round((distribution.high - distribution.low) / range.step) + 1;
  return cellMassesOf(distribution)
    ? new GridField(distribution.low, range.step, points, width)
    : new DistinctField(range, width);
}
