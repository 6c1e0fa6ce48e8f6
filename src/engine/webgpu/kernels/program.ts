import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { registerKernel } from '../../../base/tfjs-core.js';
import type { Program, Uniforms, WebgpuBackend } from '../backend.js';

/** Threads of a workgroup. */
export const THREADS = 64;

/**
 * Adds up a number of every thread of a workgroup, for all of them; and the workgroup's place among all, whatever the
 * dimensions of the dispatch.
 */
export const WORKGROUP = `
  var<workgroup> parts : array<f32, ${THREADS}>;
  fn total(value : f32) -> f32 {
    parts[localIndex] = value;
    workgroupBarrier();
    for (var half = ${THREADS / 2}u; half > 0u; half /= 2u) {
      if (localIndex < half) { parts[localIndex] += parts[localIndex + half]; }
      workgroupBarrier();
    }
    let sum = parts[0];
    workgroupBarrier();
    return sum;
  }
  fn group() -> i32 {
    return i32((workgroupId.z * numWorkgroups.y + workgroupId.y) * numWorkgroups.x + workgroupId.x);
  }
`;

/** A program of this package: its inputs by name, the shape of its result, its workgroups, and its WGSL. */
export interface Source {
  readonly name: string;
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly shape: readonly number[];
  readonly groups: number;
  readonly code: string;
  /** Constants of the code: each set of them is compiled by itself. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Integers that are the same for all threads, and may change from call to call. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** The same for floats. */
  readonly floats?: Readonly<Record<string, number>>;
}

/** Queues a program on the card. */
export function runProgram(backend: WebgpuBackend, source: Source): TensorInfo {
  const { name, inputs, shape, groups, code, constants = {}, numbers = {}, floats = {} } = source;
  const declared = Object.entries(constants).map(([key, value]) => `const ${key} = ${value};`);
  const program: Program = {
    variableNames: Object.keys(inputs),
    outputShape: shape,
    shaderKey: [`millrace ${name}`, ...declared].join(' '),
    workgroupSize: [THREADS, 1, 1],
    dispatchLayout: { x: shape.map((_, i) => i) },
    dispatch: [groups, 1, 1],
    uniforms: [
      ...Object.keys(numbers).map((key) => `${key} : i32,`),
      ...Object.keys(floats).map((key) => `${key} : f32,`),
    ].join(' '),
    getUserCode: () => [...declared, WORKGROUP, code].join('\n'),
  };
  const uniforms: Uniforms = [
    ...Object.values(numbers).map((value) => ({ type: 'int32' as const, data: [value] })),
    ...Object.values(floats).map((value) => ({ type: 'float32' as const, data: [value] })),
  ];
  return backend.runWebGPUProgram(program, Object.values(inputs), 'float32', uniforms);
}

/** Registers a fused operation's kernel on the webgpu engine. */
export function kernel<Attrs>(
  kernelName: string,
  run: (
    inputs: Readonly<Record<string, TensorInfo>>,
    attrs: Attrs,
    backend: WebgpuBackend,
  ) => TensorInfo | TensorInfo[],
): void {
  registerKernel({
    kernelName,
    backendName: 'webgpu',
    kernelFunc: ({ inputs, attrs, backend }) =>
      run(
        inputs as Record<string, TensorInfo>,
        attrs as NamedAttrMap as unknown as Attrs,
        backend as WebgpuBackend,
      ),
  });
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
