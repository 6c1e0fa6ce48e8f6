import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { type OnednnBackend, sizeOf } from './backend.js';

/** A tensor that repeats one number. */
export function filled(
  backend: OnednnBackend,
  shape: readonly number[],
  dtype: DataType,
  value: number,
): TensorInfo {
  return backend.run('Fill', {
    results: { y: { shape, dtype } },
    numbers: { type: backend.typeOf(dtype)!, count: sizeOf(shape), value },
  })[0]!;
}

export function empty(backend: OnednnBackend, shape: readonly number[], dtype: DataType): TensorInfo {
  return filled(backend, shape, dtype, 0);
}

/** A strided box of an input, and where it goes in the result. */
export interface Part {
  readonly from: TensorInfo;
  readonly shape: readonly number[];
  readonly in: readonly number[];
  readonly inAt?: number;
  readonly out: readonly number[];
  readonly outAt?: number;
}

/** Copies boxes of tensors into one new tensor, which is filled first if they do not cover it. */
export function assemble(
  backend: OnednnBackend,
  shape: readonly number[],
  dtype: DataType,
  parts: readonly Part[],
  fill?: number,
): TensorInfo {
  const count = sizeOf(shape);
  if (count === 0) return empty(backend, shape, dtype);
  const numbers = { count, filled: fill === undefined ? 0 : 1, fill: fill ?? 0 };
  const sections = parts.map((part) => ({
    inputs: { x: part.from },
    numbers: {
      rank: part.shape.length,
      inAt: part.inAt ?? 0,
      outAt: part.outAt ?? 0,
      shape: part.shape,
      inStrides: part.in,
      outStrides: part.out,
    },
  }));
  return backend.run('assemble', { results: { y: { shape, dtype } }, numbers }, sections)[0]!;
}
