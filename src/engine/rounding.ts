import { backend } from '../base/tfjs-core.js';
import type { Precision } from './numbers/precision.js';

const TOLERANCES: Readonly<Record<Precision, number>> = {
  f32: 2e-5,
  tf32: 2e-3,
  bf16: 2e-2,
  f16: 3e-3,
  int16: 2e-3,
  int8: 5e-2,
};

/** The largest relative difference between two ways of computing one product on the current engine. */
export function productTolerance(): number {
  const { precision } = backend() as { readonly precision?: Precision };
  return TOLERANCES[precision ?? 'f32'];
}
