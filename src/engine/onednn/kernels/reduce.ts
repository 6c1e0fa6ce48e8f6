import { type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type OnednnBackend, sizeOf, TYPES } from '../backend.js';
import { kernel, rowsOf } from '../kernel.js';
import { empty, filled } from './elementwise.js';
import { transposed } from './layout.js';

interface ReduceAttrs {
  readonly axis?: number | number[];
  /** What Max alone calls its axes. */
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

/** [before, reduced, after] where the reduced axes are neighbours; undefined elsewhere. */
function asMiddle(shape: readonly number[], axes: readonly number[]): [number, number, number] | undefined {
  const [first, last] = [Math.min(...axes), Math.max(...axes)];
  if (axes.length === 0) return [sizeOf(shape), 1, 1];
  if (last - first + 1 !== axes.length) return undefined;
  return [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(first, last + 1)), sizeOf(shape.slice(last + 1))];
}

/** Runs `work` on a tensor whose reduced axes are neighbours: the given one, or a transposed copy. */
function withMiddle(
  backend: OnednnBackend,
  x: TensorInfo,
  axes: readonly number[],
  work: (x: TensorInfo, middle: [number, number, number]) => TensorInfo,
): TensorInfo {
  const middle = asMiddle(x.shape, axes);
  if (middle) return work(x, middle);
  const kept = x.shape.map((_, i) => i).filter((axis) => !axes.includes(axis));
  const moved = transposed(backend, x, [...kept, ...axes]);
  const result = work(moved, [
    sizeOf(kept.map((axis) => x.shape[axis]!)),
    sizeOf(axes.map((axis) => x.shape[axis]!)),
    1,
  ]);
  backend.disposeData(moved.dataId);
  return result;
}

const OPS = { Sum: 0, Mean: 0, Max: 1, Min: 2, Prod: 3, All: 2, Any: 1 } as const;
/** What the reduction of nothing is. */
const OF_NOTHING = { Sum: 0, Mean: Number.NaN, Max: -Infinity, Min: Infinity, Prod: 1, All: 1, Any: 0 };

function resultType(name: keyof typeof OPS, dtype: DataType): DataType {
  if (name === 'All' || name === 'Any') return 'bool';
  if (name === 'Mean' || dtype === 'float32') return 'float32';
  return (name === 'Max' || name === 'Min') && dtype === 'bool' ? 'bool' : 'int32';
}

for (const name of Object.keys(OPS) as (keyof typeof OPS)[])
  kernel<'x', ReduceAttrs>(name, ({ inputs: { x }, attrs, backend }) => {
    const axes = util.parseAxisParam(
      attrs.reductionIndices ?? attrs.axis ?? x.shape.map((_, i) => i),
      x.shape,
    );
    if (new Set(axes).size !== axes.length)
      throw new Error(`${name}: expected each axis once, got [${axes.join(', ')}]`);
    const shape = attrs.keepDims
      ? x.shape.map((n, i) => (axes.includes(i) ? 1 : n))
      : x.shape.filter((_, i) => !axes.includes(i));
    const dtype = resultType(name, x.dtype);
    const count = sizeOf(axes.map((axis) => x.shape[axis]!));
    if (sizeOf(shape) === 0) return empty(backend, shape, dtype);
    if (count === 0) return filled(backend, shape, dtype, OF_NOTHING[name]);
    const factor = name === 'Mean' ? 1 / count : 1;
    return withMiddle(backend, x, axes, (from, middle) => {
      const ints = [OPS[name], ...middle, TYPES[dtype]!];
      return backend.run('reduce', [from], [{ shape, dtype }], ints, [factor])[0]!;
    });
  });

for (const [name, largest] of [
  ['ArgMax', 1],
  ['ArgMin', 0],
] as const)
  kernel<'x', { readonly axis: number }>(name, ({ inputs: { x }, attrs, backend }) => {
    const axes = util.parseAxisParam(attrs.axis, x.shape);
    const shape = x.shape.filter((_, i) => !axes.includes(i));
    return withMiddle(
      backend,
      x,
      axes,
      (from, middle) =>
        backend.run('argument', [from], [{ shape, dtype: 'int32' }], [largest, ...middle])[0]!,
    );
  });

for (const name of ['Softmax', 'LogSoftmax'])
  kernel<'logits'>(name, ({ inputs: { logits }, backend }) => {
    if (logits.shape.length === 0) throw new Error(`${name}: expected a rank from 1, got a scalar`);
    return backend.run(name, [logits], [{ shape: logits.shape, dtype: 'float32' }], rowsOf(logits));
  });
