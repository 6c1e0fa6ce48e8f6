import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { backend_util, slice_util, util } from '../../../base/tfjs-core.js';
import { type OnednnBackend, sizeOf } from '../backend.js';
import { kernel, listKernel, stridesOf } from '../kernel.js';
import { assemble, type Part } from '../make.js';

export function transposed(backend: OnednnBackend, x: TensorInfo, perm: readonly number[]): TensorInfo {
  const shape = perm.map((axis) => x.shape[axis]!);
  const strides = stridesOf(x.shape);
  const part = { from: x, shape, in: perm.map((axis) => strides[axis]!), out: stridesOf(shape) };
  return assemble(backend, shape, x.dtype, [part]);
}

function sliced(
  backend: OnednnBackend,
  x: TensorInfo,
  begin: readonly number[],
  size: readonly number[],
): TensorInfo {
  const strides = stridesOf(x.shape);
  const inAt = begin.reduce((at, start, i) => at + start * strides[i]!, 0);
  return assemble(backend, size, x.dtype, [
    { from: x, shape: size, in: strides, inAt, out: stridesOf(size) },
  ]);
}

function concatenated(backend: OnednnBackend, parts: readonly TensorInfo[], axis: number): TensorInfo {
  const shapes = parts.map((part) => part.shape);
  backend_util.assertParamsConsistent(shapes, axis);
  const shape = backend_util.computeOutShape(shapes, axis);
  const out = stridesOf(shape);
  let at = 0;
  const boxes = parts.map((from): Part => {
    const outAt = at * out[axis]!;
    at += from.shape[axis]!;
    return { from, shape: from.shape, in: stridesOf(from.shape), out, outAt };
  });
  return assemble(backend, shape, parts[0]!.dtype, boxes);
}

kernel<'x', { readonly perm: number[] }>('Transpose', ({ inputs: { x }, attrs: { perm }, backend }) => {
  if (perm.length !== x.shape.length || !x.shape.every((_, axis) => perm.includes(axis)))
    throw new Error(
      `transpose: expected each axis of [${x.shape.join(', ')}] once, got [${perm.join(', ')}]`,
    );
  return transposed(backend, x, perm);
});

kernel<'x', { readonly begin: number[]; readonly size: number[] }>(
  'Slice',
  ({ inputs: { x }, attrs, backend }) => {
    const [begin, size] = slice_util.parseSliceParams(x as never, attrs.begin, attrs.size) as [
      number[],
      number[],
    ];
    slice_util.assertParamsValid(x as never, begin, size);
    return sliced(backend, x, begin, size);
  },
);

kernel<'x', { readonly paddings: [number, number][]; readonly constantValue: number }>(
  'PadV2',
  ({ inputs: { x }, attrs: { paddings, constantValue }, backend }) => {
    if (paddings.some((sides) => sides.some((n) => n < 0)))
      throw new Error(`pad: expected paddings from 0, got [${paddings.join('], [')}]`);
    const shape = x.shape.map((n, i) => n + paddings[i]![0] + paddings[i]![1]);
    const out = stridesOf(shape);
    const outAt = paddings.reduce((at, [before], i) => at + before * out[i]!, 0);
    const part = { from: x, shape: x.shape, in: stridesOf(x.shape), out, outAt };
    return assemble(backend, shape, x.dtype, [part], constantValue);
  },
);

kernel<never, { readonly axis: number }>('Concat', ({ inputs, attrs: { axis }, backend }) => {
  const parts = Object.values(inputs as Record<string, TensorInfo>);
  return concatenated(backend, parts, util.parseAxisParam(axis, parts[0]!.shape)[0]!);
});

kernel<never, { readonly axis: number }>('Pack', ({ inputs, attrs: { axis }, backend }) => {
  const parts = Object.values(inputs as Record<string, TensorInfo>);
  const place = axis < 0 ? axis + parts[0]!.shape.length + 1 : axis;
  const wide = parts.map((part) => ({
    ...part,
    shape: [...part.shape.slice(0, place), 1, ...part.shape.slice(place)],
  }));
  return concatenated(backend, wide, place);
});

listKernel<'value', { readonly axis: number }>('Unpack', ({ inputs: { value }, attrs, backend }) => {
  const axis = attrs.axis < 0 ? attrs.axis + value.shape.length : attrs.axis;
  const shape = value.shape.filter((_, i) => i !== axis);
  return [...Array(value.shape[axis]!).keys()].map((at) => {
    const begin = value.shape.map((_, i) => (i === axis ? at : 0));
    const size = value.shape.map((n, i) => (i === axis ? 1 : n));
    return { ...sliced(backend, value, begin, size), shape };
  });
});

listKernel<'x', { readonly numOrSizeSplits: number | number[]; readonly axis: number }>(
  'SplitV',
  ({ inputs: { x }, attrs, backend }) => {
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0]!;
    const counts = backend_util.prepareSplitSize(x as never, attrs.numOrSizeSplits, axis);
    const extents = counts.map((steps) => ({
      results: { y: { shape: x.shape.with(axis, steps), dtype: x.dtype } },
      numbers: { steps },
    }));
    const inner = sizeOf(x.shape.slice(axis + 1));
    return backend.run('split', { inputs: { x }, numbers: { inner } }, extents);
  },
);

kernel<'x', { readonly reps: number[] }>('Tile', ({ inputs: { x }, attrs: { reps }, backend }) => {
  if (!reps.every((n) => Number.isInteger(n) && n >= 0))
    throw new Error(`tile: expected whole numbers from 0 up, got [${reps.join(', ')}]`);
  // Each dimension becomes two: the copies, which stand still in the input, and the numbers.
  const strides = stridesOf(x.shape);
  const shape = x.shape.flatMap((n, i) => [reps[i]!, n]);
  const read = strides.flatMap((stride) => [0, stride]);
  const result = x.shape.map((n, i) => n * reps[i]!);
  return assemble(backend, result, x.dtype, [{ from: x, shape, in: read, out: stridesOf(shape) }]);
});

kernel<'x', { readonly dims: number[] }>('Reverse', ({ inputs: { x }, attrs: { dims }, backend }) => {
  const axes = new Set(util.parseAxisParam(dims, x.shape));
  const strides = stridesOf(x.shape);
  const read = strides.map((stride, i) => (axes.has(i) ? -stride : stride));
  const inAt = strides.reduce((at, stride, i) => at + (axes.has(i) ? stride * (x.shape[i]! - 1) : 0), 0);
  return assemble(backend, x.shape, x.dtype, [{ from: x, shape: x.shape, in: read, inAt, out: strides }]);
});

kernel<'x'>('Identity', ({ inputs: { x }, backend }) => backend.alias(x, x.shape, x.dtype));

kernel<'x', { readonly shape: number[] }>('Reshape', ({ inputs: { x }, attrs: { shape }, backend }) => {
  const size = sizeOf(x.shape);
  const inferred = util.inferFromImplicitShape(shape, size);
  if (sizeOf(inferred) !== size || !inferred.every((n) => Number.isInteger(n) && n >= 0))
    throw new Error(`reshape: expected ${size} numbers, got the shape [${inferred.join(', ')}]`);
  return backend.alias(x, inferred, x.dtype);
});

kernel<'input', { readonly dim: number }>('ExpandDims', ({ inputs: { input }, attrs: { dim }, backend }) => {
  const rank = input.shape.length;
  if (!Number.isInteger(dim) || dim < -rank - 1 || dim > rank)
    throw new Error(`expandDims: expected an axis from ${-rank - 1} to ${rank}, got ${dim}`);
  const place = dim < 0 ? dim + rank + 1 : dim;
  return backend.alias(input, [...input.shape.slice(0, place), 1, ...input.shape.slice(place)], input.dtype);
});

interface OneHotAttrs {
  readonly depth: number;
  readonly onValue: number;
  readonly offValue: number;
  readonly dtype?: DataType;
}

kernel<'indices', OneHotAttrs>('OneHot', ({ inputs: { indices }, attrs, backend }) => {
  const { depth, onValue, offValue, dtype = 'int32' } = attrs;
  return backend.run('OneHot', {
    inputs: { indices },
    results: { y: { shape: [...indices.shape, depth], dtype } },
    numbers: { depth, type: backend.typeOf(dtype)!, on: onValue, off: offValue },
  });
});

kernel<'x' | 'indices', { readonly axis: number; readonly batchDims?: number }>(
  'GatherV2',
  ({ inputs: { x, indices }, attrs, backend }) => {
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0]!;
    if (attrs.batchDims) throw new Error('the onednn engine gathers without batch dimensions');
    const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
    const shape = [...before, ...indices.shape, ...after];
    return backend.run('gather', {
      inputs: { x, indices },
      results: { y: { shape, dtype: x.dtype } },
      numbers: { before: sizeOf(before), middle: x.shape[axis]!, after: sizeOf(after) },
    });
  },
);
