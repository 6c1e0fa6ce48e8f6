import type { TensorInfo } from '@tensorflow/tfjs-core';
import { registerKernel } from '../../base/tfjs-core.js';
import { type OnednnBackend, sizeOf } from './backend.js';

/** The arguments of a kernel; optional inputs may be missing. */
export interface KernelCall<I extends string, A> {
  readonly backend: OnednnBackend;
  readonly inputs: Record<I, TensorInfo>;
  readonly attrs: A;
}

/** Registers a kernel of the onednn engine under tfjs's name for it; a list of one output stands for that output. */
export function kernel<I extends string, A = object>(
  kernelName: string,
  compute: (call: KernelCall<I, A>) => TensorInfo | TensorInfo[],
): void {
  register<I, A>(kernelName, (call) => {
    const result = compute(call);
    return Array.isArray(result) && result.length === 1 ? result[0]! : result;
  });
}

/** Registers a kernel whose outputs are a list of any length. */
export function listKernel<I extends string, A = object>(
  kernelName: string,
  compute: (call: KernelCall<I, A>) => TensorInfo[],
): void {
  register(kernelName, compute);
}

function register<I extends string, A>(
  kernelName: string,
  compute: (call: KernelCall<I, A>) => TensorInfo | TensorInfo[],
): void {
  registerKernel({
    kernelName,
    backendName: 'onednn',
    kernelFunc: ({ inputs, backend, attrs }) =>
      compute({
        backend: backend as OnednnBackend,
        inputs: inputs as unknown as Record<I, TensorInfo>,
        attrs: (attrs ?? {}) as unknown as A,
      }),
  });
}

/** Rows and width of a tensor seen as a matrix. */
export function rowsOf({ shape }: TensorInfo): { rows: number; width: number } {
  return { rows: sizeOf(shape.slice(0, -1)), width: shape.at(-1) ?? 1 };
}

/** A result of this shape in float32. */
export const float = (shape: readonly number[]) => ({ shape, dtype: 'float32' as const });

/** Strides of a contiguous tensor, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}
