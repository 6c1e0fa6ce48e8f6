import type { TensorInfo } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { broadcast_util, util } from '../../base/tfjs-core.js';
import { BATCH, INPUT, isBatch, type TraceBackend } from './trace-backend.js';

/** A kernel's inputs: by name, or by number where they are a list. */
type Inputs = Readonly<Record<string, TensorInfo>>;
// biome-ignore lint/suspicious/noExplicitAny: each kernel has attributes of its own
type Attrs = any;

/** How a kernel of tfjs is written in ONNX. */
export type OnnxKernel = (
  to: TraceBackend,
  inputs: Inputs,
  attrs: Attrs,
) => TensorInfo | readonly TensorInfo[];

/** A function of each number. */
const unary =
  (op: string): OnnxKernel =>
  (to, { x }) =>
    to.node(op, [x!], x!.shape);

/** A function of two numbers, broadcast. */
const binary =
  (op: string): OnnxKernel =>
  (to, { a, b }) =>
    to.node(op, [a!, b!], broadcast_util.assertAndGetBroadcastShape(a!.shape, b!.shape));

/** A reduction over axes. Only ReduceSum takes them as an input before opset 18. */
const reduction =
  (op: string): OnnxKernel =>
  (to, { x }, { axis, keepDims = false }) => {
    const axes = util.parseAxisParam(axis, x!.shape);
    if (axes.some((i) => isBatch(x!.shape[i]!)))
      throw new UserError('ONNX: expected each picture to be computed alone, got a sum over the batch');
    const shape = x!.shape.flatMap((size, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [size]));
    const keepdims = keepDims ? 1 : 0;
    return op === 'ReduceSum'
      ? to.node(op, [x!, to.integers(axes)], shape, { keepdims })
      : to.node(op, [x!], shape, { axes, keepdims });
  };

/** A reshape in which the dimension of the batch stays free. */
export function reshaped(to: TraceBackend, x: TensorInfo, shape: readonly number[]): TensorInfo {
  const target = shape.map((size) => (isBatch(size) ? -1 : size));
  if (target.filter((size) => size < 0).length > 1)
    throw new UserError(`ONNX: expected the batch in one dimension, got [${shape.join(', ')}]`);
  return to.node('Reshape', [x, to.integers(target)], shape);
}

/** Axes in another order. */
export function transposed(to: TraceBackend, x: TensorInfo, perm: readonly number[]): TensorInfo {
  return to.node(
    'Transpose',
    [x],
    perm.map((i) => x.shape[i]!),
    { perm },
  );
}

const matMul: OnnxKernel = (to, { a, b }, { transposeA, transposeB }) => {
  const last = (x: TensorInfo) => {
    const axes = x.shape.map((_, i) => i);
    return transposed(to, x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
  };
  const [left, right] = [transposeA ? last(a!) : a!, transposeB ? last(b!) : b!];
  const batch = broadcast_util.assertAndGetBroadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
  return to.node('MatMul', [left, right], [...batch, left.shape.at(-2)!, right.shape.at(-1)!]);
};

const slice: OnnxKernel = (to, { x }, { begin, size }: { begin: number[]; size: number[] }) => {
  const lengths = size.map((length, i) => (length < 0 ? x!.shape[i]! - begin[i]! : length));
  const axes = lengths.flatMap((length, i) => (length === x!.shape[i] ? [] : [i]));
  if (axes.length === 0) return to.node('Identity', [x!], lengths);
  if (axes.some((i) => isBatch(x!.shape[i]!)))
    throw new UserError('ONNX: expected each picture to be computed alone, got a part of the batch');
  const places = [axes.map((i) => begin[i]!), axes.map((i) => begin[i]! + lengths[i]!), axes];
  return to.node('Slice', [x!, ...places.map((list) => to.integers(list))], lengths);
};

/** Repeats; along the batch by its length, which is known when the model runs. */
const tile: OnnxKernel = (to, { x }, { reps }: { reps: number[] }) => {
  const shape = x!.shape.map((size, i) => size * reps[i]!);
  if (!reps.some(isBatch)) return to.node('Tile', [x!, to.integers(reps)], shape);
  const length = to.node('Shape', [INPUT], [1], { start: 0, end: 1 });
  const counts = reps.map((count) => (isBatch(count) ? length : to.integers([count])));
  if (reps.some((count) => isBatch(count) && count !== BATCH))
    throw new UserError(`ONNX: expected one row a picture, got ${reps.join()}`);
  return to.node('Tile', [x!, to.node('Concat', counts, [reps.length], { axis: 0 })], shape);
};

const concat: OnnxKernel = (to, inputs, { axis }) => {
  const parts = Object.values(inputs).filter(({ shape }) => !shape.includes(0));
  const at = util.parseAxisParam(axis, parts[0]!.shape)[0]!;
  if (parts.some(({ shape }) => isBatch(shape[at]!)))
    // What only a gradient reads.
    return to.unused(
      parts[0]!.shape.map((size, i) => (i === at ? sum(parts.map((x) => x.shape[i]!)) : size)),
    );
  const shape = parts[0]!.shape.map((size, i) => (i === at ? sum(parts.map((x) => x.shape[i]!)) : size));
  return to.node('Concat', parts, shape, { axis: at });
};

const pad: OnnxKernel = (
  to,
  { x },
  { paddings, constantValue }: { paddings: number[][]; constantValue: number },
) => {
  const shape = x!.shape.map((size, i) => size + paddings[i]![0]! + paddings[i]![1]!);
  const pads = [0, 1].flatMap((side) => paddings.map((pair) => pair[side]!));
  return to.node('Pad', [x!, to.integers(pads), to.number(constantValue)], shape);
};

const pack: OnnxKernel = (to, inputs, { axis }) => {
  const parts = Object.values(inputs).map((x) => reshaped(to, x, x.shape.toSpliced(axis, 0, 1)));
  const shape = parts[0]!.shape.map((size, i) => (i === axis ? parts.length : size));
  return to.node('Concat', parts, shape, { axis });
};

/** The kernels of tfjs that a model may use, by name. */
export const PLAIN_KERNELS: Readonly<Record<string, OnnxKernel>> = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Multiply: binary('Mul'),
  RealDiv: binary('Div'),
  Pow: binary('Pow'),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Prelu: (to, { x, alpha }) => to.node('PRelu', [x!, alpha!], x!.shape),
  Abs: unary('Abs'),
  Ceil: unary('Ceil'),
  Cos: unary('Cos'),
  Erf: unary('Erf'),
  Exp: unary('Exp'),
  Floor: unary('Floor'),
  Identity: unary('Identity'),
  Log: unary('Log'),
  Neg: unary('Neg'),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu'),
  Sigmoid: unary('Sigmoid'),
  Sin: unary('Sin'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt'),
  Tanh: unary('Tanh'),
  Elu: unary('Elu'),
  Square: (to, { x }) => to.node('Mul', [x!, x!], x!.shape),
  Rsqrt: (to, { x }) => to.node('Reciprocal', [to.node('Sqrt', [x!], x!.shape)], x!.shape),
  LeakyRelu: (to, { x }, { alpha }) => to.node('LeakyRelu', [x!], x!.shape, { alpha: { float: alpha } }),
  Relu6: (to, { x }) => to.node('Clip', [x!, to.number(0), to.number(6)], x!.shape),
  ClipByValue: (to, { x }, { clipValueMin, clipValueMax }) =>
    to.node('Clip', [x!, to.number(clipValueMin), to.number(clipValueMax)], x!.shape),
  Softmax: (to, { logits }, { dim }) => to.node('Softmax', [logits!], logits!.shape, { axis: dim }),
  LogSoftmax: (to, { logits }, { axis }) => to.node('LogSoftmax', [logits!], logits!.shape, { axis }),
  Sum: reduction('ReduceSum'),
  Mean: reduction('ReduceMean'),
  Max: reduction('ReduceMax'),
  Min: reduction('ReduceMin'),
  BatchMatMul: matMul,
  Reshape: (to, { x }, { shape }) =>
    reshaped(to, x!, util.inferFromImplicitShape(shape, util.sizeFromShape(x!.shape))),
  ExpandDims: (to, { input }, { dim }) =>
    reshaped(to, input!, input!.shape.toSpliced(dim < 0 ? input!.shape.length + 1 + dim : dim, 0, 1)),
  Transpose: (to, { x }, { perm }) => transposed(to, x!, perm),
  Slice: slice,
  Tile: tile,
  Concat: concat,
  Pack: pack,
  PadV2: pad,
};

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
