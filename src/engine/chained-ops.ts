import type { DataType } from '@tensorflow/tfjs-core';
// oxlint-disable-next-line unicorn/require-module-specifiers -- for what it declares
import type {} from '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import { core, Tensor } from '../base/tfjs-core.js';

// Tensors' methods, x.add(y) for add(x, y): the union package of tfjs defines them, and its core in no form that Node can
// import.

type Method = (this: Tensor, ...args: never[]) => unknown;
type Operations = Record<string, (x: Tensor, ...args: unknown[]) => unknown>;

const SAME = `
  abs acos acosh add all any argMax argMin asin asinh atan atan2 atanh avgPool batchToSpaceND
  batchNorm broadcastTo cast ceil clipByValue conv1d conv2d conv2dTranspose cos cosh cumprod cumsum
  depthToSpace depthwiseConv2d dilation2d div divNoNan dot elu equal erf euclideanNorm exp expandDims
  expm1 floor floorDiv gather greater greaterEqual isFinite isInf isNaN leakyRelu less lessEqual
  localResponseNormalization log log1p logSigmoid logSoftmax logSumExp logicalAnd logicalNot logicalOr
  logicalXor matMul max maxPool maximum mean min minimum mirrorPad mod mul neg norm notEqual oneHot
  onesLike pad pool pow prelu prod reciprocal relu relu6 reshape reverse round rsqrt selu
  separableConv2d sigmoid sign sin sinh slice softmax softplus spaceToBatchND split sqrt square
  squaredDifference squeeze step stridedSlice sub sum tan tanh tile topk transpose unique
  unsortedSegmentSum unstack zerosLike
`;

const { image, spectral } = core;
const { cast, concat, reshape, stack, where } = core;
const others: Record<string, Method> = {
  as1D() {
    return reshape(this, [this.size]);
  },
  flatten() {
    return reshape(this, [this.size]);
  },
  asScalar() {
    return reshape(this, []);
  },
  reshapeAs(x: Tensor) {
    return reshape(this, x.shape);
  },
  asType(dtype: DataType) {
    return cast(this, dtype);
  },
  toBool() {
    return cast(this, 'bool');
  },
  toFloat() {
    return cast(this, 'float32');
  },
  toInt() {
    return cast(this, 'int32');
  },
  concat(x: Tensor | Tensor[], axis?: number) {
    return concat([this, ...[x].flat()], axis);
  },
  stack(x: Tensor | Tensor[], axis?: number) {
    return stack([this, ...[x].flat()], axis);
  },
  where(condition: Tensor, x: Tensor) {
    return where(condition as never, this, x);
  },
};
for (const rank of [2, 3, 4, 5])
  others[`as${rank}D`] = function (...shape: number[]) {
    return reshape(this, shape);
  } as Method;

const all = { ...core, ...image, ...spectral } as unknown as Operations;
for (const name of [
  ...SAME.trim().split(/\s+/),
  'fft',
  'ifft',
  'rfft',
  'irfft',
  'resizeBilinear',
  'resizeNearestNeighbor',
])
  others[name] = function (...args: unknown[]) {
    return all[name]!(this, ...args);
  } as Method;

for (const [name, method] of Object.entries(others))
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...args: never[]) {
      (this as unknown as { throwIfDisposed(): void }).throwIfDisposed();
      return method.apply(this, args);
    },
    configurable: true,
    writable: true,
  });
