import { broadcast_util, type TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '../backend.js';
import { kernel, rowsOf } from '../kernel.js';
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
  const ints = [rowsOf(x)[0], from, to];
  return backend.run('Linear', [x, weight, bias], [{ shape, dtype: 'float32' }], ints);
});

kernel<'dy' | 'weight'>('LinearGradInput', ({ inputs: { dy, weight }, backend }) => {
  const [from, to] = weight.shape as [number, number];
  const shape = [...dy.shape.slice(0, -1), from];
  const ints = [rowsOf(dy)[0], from, to];
  return backend.run('LinearGradInput', [dy, weight], [{ shape, dtype: 'float32' }], ints);
});

kernel<'x' | 'dy'>('LinearGradWeight', ({ inputs: { x, dy }, backend }) => {
  const [[rows, from], to] = [rowsOf(x), dy.shape.at(-1)!];
  const ints = [rows, from, to];
  return backend.run('LinearGradWeight', [x, dy], [{ shape: [from, to], dtype: 'float32' }], ints);
});

/** out, blocks and width of each map, as the addon wants them. */
function mapSizes(outputs: number, a: TensorInfo | undefined): number[] {
  return [outputs, a?.shape.length === 3 ? a.shape[0]! : 1, a ? a.shape.at(-1)! : 0];
}

interface LinearsAttrs {
  readonly residual: boolean;
  readonly maps: readonly { readonly bias: boolean; readonly scale?: number }[];
}

for (const name of ['Linears', 'FrozenLinears'])
  kernel<never, LinearsAttrs>(name, ({ inputs, attrs: { residual, maps }, backend }) => {
    const waiting = Object.values(inputs as Record<string, TensorInfo>);
    const x = waiting.shift()!;
    const ins: (TensorInfo | undefined)[] = [x, residual ? waiting.shift() : undefined];
    const [rows, from] = rowsOf(x);
    const ints = [rows, from, maps.length];
    let low = 0;
    const results = maps.map(({ bias, scale }) => {
      const weight = waiting.shift()!;
      const own = [weight, bias ? waiting.shift() : undefined];
      const [a, b] = scale === undefined ? [undefined, undefined] : [waiting.shift(), waiting.shift()];
      ins.push(...own, a, b);
      const [outputs, blocks, width] = mapSizes(weight.shape[1]!, a) as [number, number, number];
      ints.push(outputs, blocks, width);
      low += rows * blocks * width;
      return { shape: [...x.shape.slice(0, -1), outputs], dtype: 'float32' as const };
    });
    const scales = maps.map(({ scale }) => scale ?? 0);
    return backend.run('Linears', ins, [{ shape: [low], dtype: 'float32' }, ...results], ints, scales);
  });

kernel<never, { readonly changed: readonly boolean[] }>(
  'LinearsGradInput',
  ({ inputs, attrs: { changed }, backend }) => {
    const waiting = Object.values(inputs as Record<string, TensorInfo>);
    const from = waiting[1]!.shape[0]!;
    const [rows] = rowsOf(waiting[0]!);
    const ints = [rows, from, changed.length];
    const ins = changed.flatMap((change) => {
      const [dy, weight, dLow, a] = [...waiting.splice(0, change ? 4 : 2), undefined, undefined];
      ints.push(...mapSizes(weight!.shape[1]!, a));
      return [dy, weight, dLow, a];
    });
    return backend.run('LinearsGradInput', ins, [{ shape: [rows, from], dtype: 'float32' }], ints);
  },
);

kernel<'dy' | 'b', { readonly scale: number }>(
  'LowRankGrad',
  ({ inputs: { dy, b }, attrs: { scale }, backend }) => {
    const [rows, to] = rowsOf(dy);
    const [blocks, width] = [b.shape.length === 3 ? b.shape[0]! : 1, b.shape.at(-2)!];
    const output = { shape: [blocks, rows, width], dtype: 'float32' as const };
    return backend.run('LowRankGrad', [dy, b], [output], [rows, 0, to, blocks, width], [scale]);
  },
);

kernel<'x' | 'dLow', { readonly shape: readonly number[] }>(
  'LowRankGradA',
  ({ inputs: { x, dLow }, attrs: { shape }, backend }) => {
    const [blocks, rows, width] = dLow.shape as [number, number, number];
    const ints = [rows, x.shape.at(-1)!, 0, blocks, width];
    return backend.run('LowRankGradA', [x, dLow], [{ shape, dtype: 'float32' }], ints);
  },
);

kernel<'low' | 'dy', { readonly shape: readonly number[]; readonly at: number }>(
  'LowRankGradB',
  ({ inputs: { low, dy }, attrs: { shape, at }, backend }) => {
    const [rows, to] = rowsOf(dy);
    const ints = [rows, 0, to, shape.length === 3 ? shape[0]! : 1, shape.at(-2)!, at];
    return backend.run('LowRankGradB', [low, dy], [{ shape, dtype: 'float32' }], ints);
  },
);
