/**
 * The sum of many kernels of one width, kept so that adding one and asking for the sum at a point cost the same
 * however many there are.
 *
 * Each kernel counts in two sums, by an amplitude and by its amplitude times its rank, since a kernel's weight is a
 * linear function of its rank whose coefficients change with every trial.
 */
export interface NarrowField {
  /** Whether the field can hold a kernel: not one outside the range, or between the points of the grid. */
  holds(centre: number): boolean;
  add(centre: number, amplitude: number, ranked: number): void;
  /** Fixes the weight of a kernel as `constant + slope·rank` for the calls of `at` that follow. */
  weigh(constant: number, slope: number): void;
  /** The weighted sum at a value of the parameter: of densities, or on a grid of masses of its cell. */
  at(x: number): number;
  /** One kernel of amplitude 1. */
  kernelAt(centre: number, x: number): number;
}

/** The distance in widths beyond which kernels are left out: they are below 1e-19 of their height. */
export const REACH = 9.5;
