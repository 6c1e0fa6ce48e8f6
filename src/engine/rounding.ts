import { backend } from '@tensorflow/tfjs-core';

/** How far two ways of computing one product may lie apart on the engine that runs, relative to the result. */
export function productTolerance(): number {
  return (backend() as { readonly precision?: string }).precision === 'bf16' ? 2e-2 : 2e-5;
}
