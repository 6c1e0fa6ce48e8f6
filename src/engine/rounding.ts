import { backend } from '../base/tfjs-core.js';

/** The largest relative difference between two ways of computing one product on the current engine. */
export function productTolerance(): number {
  const { precision } = backend() as { readonly precision?: string };
  return precision === 'bf16' ? 2e-2 : precision === 'tf32' ? 2e-3 : 2e-5;
}
