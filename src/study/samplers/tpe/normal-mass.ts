import { erf, erfc } from '../../../numeric/erf.js';

/** Φ(b) − Φ(a), computed in the tail that keeps all digits. */
export function normalMass(a: number, b: number): number {
  if (a > 0) return 0.5 * (erfc(a / Math.SQRT2, true) - erfc(b / Math.SQRT2, true));
  if (b < 0) return 0.5 * (erfc(-b / Math.SQRT2, true) - erfc(-a / Math.SQRT2, true));
  return 0.5 * (erf(b / Math.SQRT2, true) - erf(a / Math.SQRT2, true));
}

/** The smallest mass that can be divided by: below it, doubles lose precision. */
export const LEAST_MASS = 1e-200;
