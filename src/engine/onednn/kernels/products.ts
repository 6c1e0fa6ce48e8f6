import { broadcast_util, type TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '../backend.js';
import { kernel } from '../kernel.js';
import { empty } from './elementwise.js';

interface MatMulAttrs {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Strides of a batch in matrices; 0 where one matrix serves all. */
function batchStrides(from: readonly number[], to: readonly number[]): number[] {
  let step = 1;
  const strides = to.map(() => 0);
  for (let i = to.length - 1, j = from.length - 1; j >= 0; i--, j--) {
    if (from[j] !== 1) strides[i] = step;
    step *= from[j]!;
  }
  return strides;
}

kernel<'a' | 'b', MatMulAttrs>('BatchMatMul', ({ inputs: { a, b }, attrs, backend }) => {
  const { transposeA, transposeB } = attrs;
  const last = (t: TensorInfo, transposed: boolean) => {
    const [rows, columns] = t.shape.slice(-2) as [number, number];
    return transposed ? [columns, rows] : [rows, columns];
  };
  const [m, k] = last(a, transposeA) as [number, number];
  const [inner, n] = last(b, transposeB) as [number, number];
  if (k !== inner)
    throw new Error(`matMul: expected inner sizes that agree, got [${a.shape}] and [${b.shape}]`);
  const batch = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, m, n];
  if (k === 0 || sizeOf(shape) === 0) return empty(backend, shape, 'float32');
  const flags = [transposeA ? 1 : 0, transposeB ? 1 : 0];
  const strides = [a, b].flatMap((t) => batchStrides(t.shape.slice(0, -2), batch));
  const ints = [m, k, n, ...flags, batch.length, ...batch, ...strides];
  return backend.run('BatchMatMul', [a, b], [{ shape, dtype: 'float32' }], ints);
});

kernel<'x' | 'weight' | 'bias'>('Linear', ({ inputs: { x, weight, bias }, backend }) => {
  const [from, to] = weight.shape as [number, number];
  const shape = [...x.shape.slice(0, -1), to];
  const ints = [sizeOf(x.shape) / from, from, to];
  return backend.run('Linear', [x, weight, bias], [{ shape, dtype: 'float32' }], ints);
});

kernel<'dy' | 'weight'>('LinearGradInput', ({ inputs: { dy, weight }, backend }) => {
  const [from, to] = weight.shape as [number, number];
  const shape = [...dy.shape.slice(0, -1), from];
  const ints = [sizeOf(dy.shape) / to, from, to];
  return backend.run('LinearGradInput', [dy, weight], [{ shape, dtype: 'float32' }], ints);
});

kernel<'x' | 'dy'>('LinearGradWeight', ({ inputs: { x, dy }, backend }) => {
  const [from, to] = [x.shape.at(-1)!, dy.shape.at(-1)!];
  const ints = [sizeOf(x.shape) / from, from, to];
  return backend.run('LinearGradWeight', [x, dy], [{ shape: [from, to], dtype: 'float32' }], ints);
});
