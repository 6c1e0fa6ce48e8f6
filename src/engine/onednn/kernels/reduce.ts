import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { util } from '../../../base/tfjs-core.js';
import { type OnednnBackend, sizeOf } from '../backend.js';
import { kernel, rowsOf } from '../kernel.js';
import { empty, filled } from '../make.js';
import { transposed } from './layout.js';

interface ReduceAttrs {
  readonly axis?: number | number[];
  /** The name of the axes argument in Max alone. */
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

/** A shape as [before, middle, after], where the middle is reduced. */
interface Middle {
  readonly before: number;
  readonly middle: number;
  readonly after: number;
}

/** Undefined if the reduced axes are not adjacent. */
function asMiddle(shape: readonly number[], axes: readonly number[]): Middle | undefined {
  const [first, last] = [Math.min(...axes), Math.max(...axes)];
  if (axes.length === 0) return { before: sizeOf(shape), middle: 1, after: 1 };
  if (last - first + 1 !== axes.length) return undefined;
  return {
    before: sizeOf(shape.slice(0, first)),
    middle: sizeOf(shape.slice(first, last + 1)),
    after: sizeOf(shape.slice(last + 1)),
  };
}

/** Runs `work` on a tensor whose reduced axes are adjacent: the given one, or a transposed copy. */
function withMiddle(
  backend: OnednnBackend,
  x: TensorInfo,
  axes: readonly number[],
  work: (x: TensorInfo, middle: Middle) => TensorInfo,
): TensorInfo {
  const middle = asMiddle(x.shape, axes);
  if (middle) return work(x, middle);
  const keptAxes = x.shape.map((_, i) => i).filter((axis) => !axes.includes(axis));
  const xTransposed = transposed(backend, x, [...keptAxes, ...axes]);
  const result = work(xTransposed, {
    before: sizeOf(keptAxes.map((axis) => x.shape[axis]!)),
    middle: sizeOf(axes.map((axis) => x.shape[axis]!)),
    after: 1,
  });
  backend.disposeData(xTransposed.dataId);
  return result;
}

/** The addon's operation for each of tfjs's. */
export const REDUCE = {
  Sum: 'Sum',
  Mean: 'Sum',
  Max: 'Max',
  Min: 'Min',
  Prod: 'Prod',
  All: 'Min',
  Any: 'Max',
} as const;
/** The result of reducing nothing. */
const OF_NOTHING = { Sum: 0, Mean: Number.NaN, Max: -Infinity, Min: Infinity, Prod: 1, All: 1, Any: 0 };

function resultType(name: keyof typeof REDUCE, dtype: DataType): DataType {
  if (name === 'All' || name === 'Any') return 'bool';
  if (name === 'Mean' || dtype === 'float32') return 'float32';
  return (name === 'Max' || name === 'Min') && dtype === 'bool' ? 'bool' : 'int32';
}

for (const name of Object.keys(REDUCE) as (keyof typeof REDUCE)[])
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
    const [op, type] = [backend.enums.Reduce[REDUCE[name]]!, backend.typeOf(dtype)!];
    return withMiddle(backend, x, axes, (from, middle) => {
      const numbers = { op, ...middle, type, factor };
      return backend.run('reduce', { inputs: { x: from }, results: { y: { shape, dtype } }, numbers })[0]!;
    });
  });

for (const [name, largest] of [
  ['ArgMax', 1],
  ['ArgMin', 0],
] as const)
  kernel<'x', { readonly axis: number }>(name, ({ inputs: { x }, attrs, backend }) => {
    const axes = util.parseAxisParam(attrs.axis, x.shape);
    const shape = x.shape.filter((_, i) => !axes.includes(i));
    return withMiddle(backend, x, axes, (from, middle) => {
      const results = { y: { shape, dtype: 'int32' as const } };
      return backend.run('argument', { inputs: { x: from }, results, numbers: { largest, ...middle } })[0]!;
    });
  });

for (const name of ['Softmax', 'LogSoftmax'])
  kernel<'logits'>(name, ({ inputs: { logits }, backend }) => {
    if (logits.shape.length === 0) throw new Error(`${name}: expected a rank from 1, got a scalar`);
    return backend.run(name, {
      inputs: { logits },
      results: { y: { shape: logits.shape, dtype: 'float32' } },
      numbers: rowsOf(logits),
    });
  });
