import type { DataId, DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';

/** A compute program in WGSL as tfjs's webgpu backend runs it: it declares the inputs, the uniforms and `result`. */
export interface Program {
  readonly variableNames: readonly string[];
  readonly outputShape: readonly number[];
  /** Programs of one key and of inputs of the same ranks and types share a pipeline. */
  shaderKey: string;
  readonly workgroupSize: readonly [number, number, number];
  readonly dispatchLayout: { readonly x: readonly number[] };
  dispatch: readonly [number, number, number];
  /** Declarations, each with a comma. */
  readonly uniforms?: string;
  getUserCode(): string;
}

/** Values of a program's uniforms, in the order of their declarations. */
export type Uniforms = readonly {
  readonly type: 'int32' | 'float32';
  readonly data: readonly number[];
}[];

/** What is used of tfjs's webgpu backend, which may not be installed. */
export interface WebgpuBackend extends KernelBackend {
  runWebGPUProgram(
    program: Program,
    inputs: readonly TensorInfo[],
    dtype: DataType,
    uniforms?: Uniforms,
  ): TensorInfo;
  incRef(dataId: DataId): void;
  makeTensorInfo(shape: number[], dtype: DataType): TensorInfo;
}
