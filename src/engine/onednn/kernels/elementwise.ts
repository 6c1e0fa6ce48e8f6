import { backend_util, type DataType, type TensorInfo, upcastType } from '@tensorflow/tfjs-core';
import { type OnednnBackend, sizeOf, TYPES } from '../backend.js';
import { kernel, stridesOf } from '../kernel.js';

/** tfjs's names, in the order of the addon's `enum class Unary`. */
const UNARY = [
  'Neg',
  'Abs',
  'Square',
  'Sign',
  'Relu',
  'Exp',
  'Expm1',
  'Log',
  'Log1p',
  'Sqrt',
  'Rsqrt',
  'Erf',
  'Sigmoid',
  'Tanh',
  'Sinh',
  'Cosh',
  'Sin',
  'Cos',
  'Reciprocal',
  'Floor',
  'Ceil',
  'Round',
  'Softplus',
  'Elu',
  'Step',
  'LeakyRelu',
  'ClipByValue',
  'Relu6',
  'Gelu',
];

const BINARY = [
  'Add',
  'Sub',
  'Multiply',
  'RealDiv',
  'Maximum',
  'Minimum',
  'Pow',
  'SquaredDifference',
  'FloorDiv',
  'Mod',
];

const COMPARE = [
  'Equal',
  'NotEqual',
  'Less',
  'LessEqual',
  'Greater',
  'GreaterEqual',
  'LogicalAnd',
  'LogicalOr',
];

interface UnaryAttrs {
  readonly alpha?: number;
  readonly clipValueMin?: number;
  readonly clipValueMax?: number;
}

/** Whole numbers stay whole: tfjs casts beforehand where an operation has fractions. */
const unaryType = (dtype: DataType): DataType => (dtype === 'float32' ? 'float32' : 'int32');

UNARY.forEach((name, op) => {
  kernel<'x', UnaryAttrs>(name, ({ inputs: { x }, attrs, backend }) => {
    const p = attrs.clipValueMin ?? attrs.alpha ?? (name === 'LeakyRelu' ? 0.2 : 0);
    const outputs = [{ shape: x.shape, dtype: unaryType(x.dtype) }];
    return backend.run('unary', [x], outputs, [op], [p, attrs.clipValueMax ?? 0]);
  });
});

kernel<'dy' | 'x'>('GeluGrad', ({ inputs: { dy, x }, backend }) =>
  backend.run('GeluGrad', [dy, x], [{ shape: x.shape, dtype: 'float32' }]),
);

/** Strides with which a tensor is read when it is broadcast to a shape. */
function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = stridesOf(from);
  const offset = to.length - from.length;
  return to.map((_, i) => (i < offset || from[i - offset] === 1 ? 0 : strides[i - offset]!));
}

function pairwise(
  backend: OnednnBackend,
  name: string,
  op: number,
  a: TensorInfo,
  b: TensorInfo,
  dtype: DataType,
) {
  const shape = backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const strides = [...broadcastStrides(a.shape, shape), ...broadcastStrides(b.shape, shape)];
  if (sizeOf(shape) === 0) return empty(backend, shape, dtype);
  return backend.run(name, [a, b], [{ shape, dtype }], [op, shape.length, ...shape, ...strides]);
}

BINARY.forEach((name, op) => {
  kernel<'a' | 'b'>(name, ({ inputs: { a, b }, backend }) => {
    const real = a.dtype === 'float32' && b.dtype === 'float32';
    return pairwise(backend, 'binary', op, a, b, real ? 'float32' : 'int32');
  });
});

COMPARE.forEach((name, op) => {
  kernel<'a' | 'b'>(name, ({ inputs: { a, b }, backend }) => pairwise(backend, 'compare', op, a, b, 'bool'));
});

kernel<'x'>('LogicalNot', ({ inputs: { x }, backend }) =>
  backend.run('LogicalNot', [x], [{ shape: x.shape, dtype: 'bool' }]),
);

kernel<'condition' | 't' | 'e'>('Select', ({ inputs: { condition, t, e }, backend }) => {
  const output = { shape: t.shape, dtype: upcastType(t.dtype, e.dtype) };
  if (condition.shape.length === t.shape.length) return backend.run('Select', [condition, t, e], [output]);
  // A vector of conditions chooses whole rows.
  const grid = [condition.shape[0]!, sizeOf(t.shape) / condition.shape[0]!];
  const [wide] = backend.run(
    'assemble',
    [condition],
    [{ shape: t.shape, dtype: 'bool' }],
    [sizeOf(t.shape), 0, 2, ...grid, 1, 0, 0, grid[1]!, 1, 0],
    [0],
  );
  const chosen = backend.run('Select', [wide, t, e], [output]);
  backend.disposeData(wide!.dataId);
  return chosen;
});

kernel<'x', { readonly dtype: DataType }>('Cast', ({ inputs: { x }, attrs: { dtype }, backend }) => {
  if (dtype === x.dtype) return backend.alias(x, x.shape, dtype);
  const type = TYPES[dtype];
  if (type === undefined) throw new Error(`the onednn engine cannot cast ${x.dtype} to ${dtype}`);
  return backend.run('Cast', [x], [{ shape: x.shape, dtype }], [type]);
});

/** A tensor of one number over and over. */
export function filled(
  backend: OnednnBackend,
  shape: readonly number[],
  dtype: DataType,
  value: number,
): TensorInfo {
  return backend.run('Fill', [], [{ shape, dtype }], [TYPES[dtype] ?? 0, sizeOf(shape)], [value])[0]!;
}

export function empty(backend: OnednnBackend, shape: readonly number[], dtype: DataType): TensorInfo {
  return filled(backend, shape, dtype, 0);
}

kernel<never, { readonly shape: number[]; readonly value: number; readonly dtype?: DataType }>(
  'Fill',
  ({ attrs: { shape, value, dtype = 'float32' }, backend }) => filled(backend, shape, dtype, value),
);
kernel<'x'>('ZerosLike', ({ inputs: { x }, backend }) => filled(backend, x.shape, x.dtype, 0));
kernel<'x'>('OnesLike', ({ inputs: { x }, backend }) => filled(backend, x.shape, x.dtype, 1));
