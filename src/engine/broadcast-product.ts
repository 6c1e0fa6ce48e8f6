import type { KernelBackend, KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { broadcast_util, getKernel, registerKernel, unregisterKernel } from '../base/tfjs-core.js';

/**
 * A matrix product whose batches may differ in any dimension, by one whose batches are alike.
 *
 * tfjs's own products count modulo the smaller batch, which is right for its first dimension alone.
 */
export function productOfAlike(
  a: TensorInfo,
  b: TensorInfo,
  backend: KernelBackend,
  engine: string,
  product: (a: TensorInfo, b: TensorInfo) => TensorInfo | TensorInfo[],
): TensorInfo | TensorInfo[] {
  const batch = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const factors = [a, b].map((x) => repeated(x, batch, backend, engine)) as [TensorInfo, TensorInfo];
  const result = product(...factors);
  factors.forEach(({ dataId }, i) => {
    if (dataId !== [a, b][i]!.dataId) backend.disposeData(dataId);
  });
  return result;
}

/** A factor with its matrices as often as the batch needs each. */
function repeated(
  x: TensorInfo,
  batch: readonly number[],
  backend: KernelBackend,
  engine: string,
): TensorInfo {
  const missing = batch.length + 2 - x.shape.length;
  const padded = [...Array<number>(missing).fill(1), ...x.shape];
  const reps = padded.map((n, i) => (n === (batch[i] ?? n) ? 1 : batch[i]!));
  const view = { ...x, shape: padded };
  if (reps.every((n) => n === 1)) return view;
  const { kernelFunc } = getKernel('Tile', engine);
  return kernelFunc({ inputs: { x: view }, attrs: { reps }, backend }) as TensorInfo;
}

/** Makes an engine's product broadcast over any batch dimension. */
export function broadcastProduct(engine: string): void {
  const kernel = getKernel('BatchMatMul', engine);
  const kernelFunc: KernelConfig['kernelFunc'] = ({ inputs, attrs, backend }) => {
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
    const run = (x: TensorInfo, y: TensorInfo) =>
      kernel.kernelFunc({ inputs: { a: x, b: y }, attrs: attrs!, backend });
    const [first, second] = [a, b].map(({ shape }) => shape.slice(0, -2).filter((n) => n !== 1));
    // Alike, or one matrix for all: the kernel's own way is right, and copies nothing.
    if (first!.join() === second!.join() || first!.length === 0 || second!.length === 0) return run(a, b);
    return productOfAlike(a, b, backend as KernelBackend, engine, run);
  };
  unregisterKernel('BatchMatMul', engine);
  registerKernel({ ...kernel, kernelFunc });
}
