import { backend } from '@tensorflow/tfjs-core';

/** How far two ways of computing one product may lie apart on the engine that runs, relative to the result. */
export function productTolerance(): number {
  const { precision } = backend() as { readonly precision?: string };
  return precision === 'bf16' ? 2e-2 : precision === 'tf32' ? 2e-3 : 2e-5;
}
