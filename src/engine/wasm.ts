import '@tensorflow/tfjs-backend-wasm';
import {
  engine,
  getKernel,
  type KernelBackend,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

/**
 * Registers the tfjs backend `wasm` with a faster matrix product.
 *
 * Its own product runs XNNPACK only where neither factor is transposed, and else a plain loop that is some ten times slower
 * (tfjs-backend-wasm 4.22, BatchMatMul.cc). Gradients and attention need transposed factors, so those are transposed
 * first.
 */
export function registerWasm(): void {
  const kernel = getKernel('BatchMatMul', 'wasm');
  if (kernel.kernelFunc === untransposed) return;
  plain = kernel.kernelFunc;
  unregisterKernel('BatchMatMul', 'wasm');
  registerKernel({ ...kernel, kernelFunc: untransposed });
}

let plain: KernelConfig['kernelFunc'];

const untransposed: KernelConfig['kernelFunc'] = ({ inputs, attrs, backend }) => {
  const { transposeA, transposeB } = attrs as { transposeA?: boolean; transposeB?: boolean };
  const a = transposeA ? swapLastTwo(inputs.a!) : inputs.a!;
  const b = transposeB ? swapLastTwo(inputs.b!) : inputs.b!;
  const product = plain({ inputs: { a, b }, attrs: { transposeA: false, transposeB: false }, backend });
  for (const [made, given] of [
    [a, inputs.a],
    [b, inputs.b],
  ])
    if (made !== given) (backend as KernelBackend).disposeData(made!.dataId);
  return product;
};

function swapLastTwo(x: TensorInfo): TensorInfo {
  const perm = x.shape.map((_, i) => i);
  perm.push(...perm.splice(-2).reverse());
  const { kernelFunc } = getKernel('Transpose', 'wasm');
  return kernelFunc({ inputs: { x }, attrs: { perm }, backend: engine().backend }) as TensorInfo;
}
