import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { backend_util, upcastType } from '../../../base/tfjs-core.js';
import { type OnednnBackend, sizeOf } from '../backend.js';
import { kernel, stridesOf } from '../kernel.js';
import { assemble, empty, filled } from '../make.js';

/** Kernels of one number each; the addon's enum has the same names, as for those of two. */
export const UNARY = [
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

export const BINARY = [
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

export const COMPARE = [
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

/** Integers stay integers: tfjs casts beforehand if an operation yields fractions. */
const unaryType = (dtype: DataType): DataType => (dtype === 'float32' ? 'float32' : 'int32');

for (const name of UNARY)
  kernel<'x', UnaryAttrs>(name, ({ inputs: { x }, attrs, backend }) => {
    const p = attrs.clipValueMin ?? attrs.alpha ?? (name === 'LeakyRelu' ? 0.2 : 0);
    return backend.run('unary', {
      inputs: { x },
      results: { y: { shape: x.shape, dtype: unaryType(x.dtype) } },
      numbers: { op: backend.enums.Unary[name]!, p, q: attrs.clipValueMax ?? 0 },
    });
  });

kernel<'dy' | 'x'>('GeluGrad', ({ inputs: { dy, x }, backend }) =>
  backend.run('GeluGrad', { inputs: { dy, x }, results: { dx: { shape: x.shape, dtype: 'float32' } } }),
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
  if (sizeOf(shape) === 0) return empty(backend, shape, dtype);
  const [aStrides, bStrides] = [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)];
  return backend.run(name, {
    inputs: { a, b },
    results: { y: { shape, dtype } },
    numbers: { op, rank: shape.length, shape, aStrides, bStrides },
  });
}

for (const name of BINARY)
  kernel<'a' | 'b'>(name, ({ inputs: { a, b }, backend }) => {
    const real = a.dtype === 'float32' && b.dtype === 'float32';
    return pairwise(backend, 'binary', backend.enums.Binary[name]!, a, b, real ? 'float32' : 'int32');
  });

for (const name of COMPARE)
  kernel<'a' | 'b'>(name, ({ inputs: { a, b }, backend }) =>
    pairwise(backend, 'compare', backend.enums.Compare[name]!, a, b, 'bool'),
  );

kernel<'x'>('LogicalNot', ({ inputs: { x }, backend }) =>
  backend.run('LogicalNot', { inputs: { x }, results: { y: { shape: x.shape, dtype: 'bool' } } }),
);

kernel<'condition' | 't' | 'e'>('Select', ({ inputs: { condition, t: a, e: b }, backend }) => {
  const results = { y: { shape: a.shape, dtype: upcastType(a.dtype, b.dtype) } };
  if (condition.shape.length === a.shape.length)
    return backend.run('Select', { inputs: { condition, a, b }, results });
  // A vector of conditions chooses whole rows.
  const shape = [condition.shape[0]!, sizeOf(a.shape) / condition.shape[0]!];
  const wide = assemble(backend, a.shape, 'bool', [
    { from: condition, shape, in: [1, 0], out: stridesOf(shape) },
  ]);
  const selection = backend.run('Select', { inputs: { condition: wide, a, b }, results });
  backend.disposeData(wide.dataId);
  return selection;
});

kernel<'x', { readonly dtype: DataType }>('Cast', ({ inputs: { x }, attrs: { dtype }, backend }) => {
  if (dtype === x.dtype) return backend.alias(x, x.shape, dtype);
  const type = backend.typeOf(dtype);
  if (type === undefined) throw new Error(`the onednn engine cannot cast ${x.dtype} to ${dtype}`);
  return backend.run('Cast', { inputs: { x }, results: { y: { shape: x.shape, dtype } }, numbers: { type } });
});

kernel<never, { readonly shape: number[]; readonly value: number; readonly dtype?: DataType }>(
  'Fill',
  ({ attrs: { shape, value, dtype = 'float32' }, backend }) => filled(backend, shape, dtype, value),
);
kernel<'x'>('ZerosLike', ({ inputs: { x }, backend }) => filled(backend, x.shape, x.dtype, 0));
kernel<'x'>('OnesLike', ({ inputs: { x }, backend }) => filled(backend, x.shape, x.dtype, 1));
