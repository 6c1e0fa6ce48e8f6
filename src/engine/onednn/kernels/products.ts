import type { TensorInfo } from '@tensorflow/tfjs-core';
import { broadcast_util } from '../../../base/tfjs-core.js';
import type { Frozen } from '../../ops/linears.js';
import { type OnednnBackend, sizeOf } from '../backend.js';
import { float, kernel, rowsOf } from '../kernel.js';
import { empty } from '../make.js';

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
  const flags = { transposeA: transposeA ? 1 : 0, transposeB: transposeB ? 1 : 0 };
  const [aStrides, bStrides] = [a, b].map((t) => batchStrides(t.shape.slice(0, -2), batch));
  return backend.run('BatchMatMul', {
    inputs: { a, b },
    results: { y: float(shape) },
    numbers: { m, k, n, ...flags, rank: batch.length, batch, aStrides: aStrides!, bStrides: bStrides! },
  });
});

kernel<'x' | 'weight' | 'bias'>('Linear', ({ inputs: { x, weight, bias }, backend }) => {
  const [from, to] = weight.shape as [number, number];
  return backend.run('Linear', {
    inputs: { x, weight, bias },
    results: { y: float([...x.shape.slice(0, -1), to]) },
    numbers: { rows: rowsOf(x).rows, in: from, out: to },
  });
});

kernel<'dy' | 'weight'>('LinearGradInput', ({ inputs: { dy, weight }, backend }) => {
  const [from, to] = weight.shape as [number, number];
  return backend.run('LinearGradInput', {
    inputs: { dy, weight },
    results: { dx: float([...dy.shape.slice(0, -1), from]) },
    numbers: { rows: rowsOf(dy).rows, in: from, out: to },
  });
});

kernel<'x' | 'dy'>('LinearGradWeight', ({ inputs: { x, dy }, backend }) => {
  const [{ rows, width: from }, to] = [rowsOf(x), dy.shape.at(-1)!];
  return backend.run('LinearGradWeight', {
    inputs: { x, dy },
    results: { dWeight: float([from, to]) },
    numbers: { rows, in: from, out: to },
  });
});

/** The sizes of a map with a low-rank change; without one, its width is 0. */
function mapSizes(outputs: number, a: TensorInfo | undefined) {
  return { out: outputs, blocks: a?.shape.length === 3 ? a.shape[0]! : 1, width: a ? a.shape.at(-1)! : 0 };
}

/** The bits of a map's integers: 0 where its weight trains, 8 for those of the engine. */
function bitsOf({ integersName }: OnednnBackend, frozen: Frozen): Record<string, number> {
  if (!integersName) return {};
  return { [integersName]: !frozen ? 0 : frozen === 'int16' ? 16 : 8 };
}

interface LinearsAttrs {
  readonly residual: boolean;
  readonly maps: readonly { readonly bias: boolean; readonly frozen: Frozen; readonly scale?: number }[];
}

for (const name of ['Linears', 'FrozenLinears'])
  kernel<never, LinearsAttrs>(name, ({ inputs, attrs, backend }) => {
    const waiting = Object.values(inputs as Record<string, TensorInfo>);
    const x = waiting.shift()!;
    const residual = attrs.residual ? waiting.shift() : undefined;
    const { rows, width: from } = rowsOf(x);
    let low = 0;
    const maps = attrs.maps.map(({ bias: hasBias, frozen, scale }) => {
      const weight = waiting.shift()!;
      const bias = hasBias ? waiting.shift() : undefined;
      const [a, b] = scale === undefined ? [undefined, undefined] : [waiting.shift(), waiting.shift()];
      const sizes = mapSizes(weight.shape[1]!, a);
      low += rows * sizes.blocks * sizes.width;
      return {
        inputs: { weight, bias, a, b },
        results: { y: float([...x.shape.slice(0, -1), sizes.out]) },
        numbers: { ...sizes, scale: scale ?? 0, ...bitsOf(backend, frozen) },
      };
    });
    const numbers = { rows, in: from, maps: maps.length };
    return backend.run('Linears', { inputs: { x, residual }, results: { low: float([low]) }, numbers }, maps);
  });

kernel<never, { readonly changed: readonly boolean[]; readonly frozen: readonly Frozen[] }>(
  'LinearsGradInput',
  ({ inputs, attrs: { changed, frozen }, backend }) => {
    const waiting = Object.values(inputs as Record<string, TensorInfo>);
    const from = waiting[1]!.shape[0]!;
    const { rows } = rowsOf(waiting[0]!);
    const maps = changed.map((change, i) => {
      const [dy, weight] = waiting.splice(0, 2);
      const [dLow, a] = change ? waiting.splice(0, 2) : [];
      const numbers = { ...mapSizes(weight!.shape[1]!, a), ...bitsOf(backend, frozen[i]!) };
      return { inputs: { dy, weight, dLow, a }, numbers };
    });
    const numbers = { rows, in: from, maps: maps.length };
    return backend.run('LinearsGradInput', { results: { dx: float([rows, from]) }, numbers }, maps);
  },
);

kernel<'dy' | 'b', { readonly scale: number }>(
  'LowRankGrad',
  ({ inputs: { dy, b }, attrs: { scale }, backend }) => {
    const { rows, width: out } = rowsOf(dy);
    const [blocks, width] = [b.shape.length === 3 ? b.shape[0]! : 1, b.shape.at(-2)!];
    return backend.run('LowRankGrad', {
      inputs: { dy, b },
      results: { dLow: float([blocks, rows, width]) },
      numbers: { rows, in: 0, out, blocks, width, scale },
    });
  },
);

kernel<'x' | 'dLow', { readonly shape: readonly number[] }>(
  'LowRankGradA',
  ({ inputs: { x, dLow }, attrs: { shape }, backend }) => {
    const [blocks, rows, width] = dLow.shape as [number, number, number];
    return backend.run('LowRankGradA', {
      inputs: { x, dLow },
      results: { dA: float(shape) },
      numbers: { rows, in: x.shape.at(-1)!, out: 0, blocks, width },
    });
  },
);

kernel<'low' | 'dy', { readonly shape: readonly number[]; readonly at: number }>(
  'LowRankGradB',
  ({ inputs: { low, dy }, attrs: { shape, at }, backend }) => {
    const { rows, width: out } = rowsOf(dy);
    const [blocks, width] = [shape.length === 3 ? shape[0]! : 1, shape.at(-2)!];
    return backend.run('LowRankGradB', {
      inputs: { low, dy },
      results: { dB: float(shape) },
      numbers: { rows, in: 0, out, blocks, width, at },
    });
  },
);
