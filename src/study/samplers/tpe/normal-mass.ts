import { erf, erfc } from '../../../numeric/erf.js';

/** Φ(b) − Φ(a), in the tail that loses no digits. */
export function normalMass(a: number, b: number): number {
  if (a > 0) return 0.5 * (erfc(a / Math.SQRT2, true) - erfc(b / Math.SQRT2, true));
  if (b < 0) return 0.5 * (erfc(-b / Math.SQRT2, true) - erfc(-a / Math.SQRT2, true));
  return 0.5 * (erf(b / Math.SQRT2, true) - erf(a / Math.SQRT2, true));
}

/** Below this a mass is too near to the smallest double to be divided by. */
export const LEAST_MASS = 1e-200;
