import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { add, mean, mul, relu, rsqrt, square, sub, tidy } from '../../base/tfjs-core.js';
import { conv3x3 } from '../../engine/ops/conv3x3.js';
import { dropout } from '../../engine/ops/dropout.js';
import { linear } from '../../engine/ops/linear.js';
import { upsample } from '../../engine/ops/upsample.js';
import type { Head, HeadOptions, HeadParameter, HeadPass } from './head.js';

/**
 * The segmentation head: Conv3×3 d→d/2, [BatchNorm], ReLU, [Dropout2d], Conv1×1 → classes, and the patches enlarged to
 * pixels.
 *
 * Convolutions start as PyTorch's do, weight and bias uniform in ±1/√fan_in. In PyTorch it is a module with `conv`, `norm`
 * (where there is one) and `classify`.
 */
export function convHead({ classes, batchNorm = false, dropout: rate = 0 }: HeadOptions): Head {
  return {
    parameters: (hidden) => {
      const middle = Math.floor(hidden / 2);
      const [wide, narrow] = [1 / Math.sqrt(9 * hidden), 1 / Math.sqrt(middle)];
      const weights = (name: string, kernel: readonly number[], shape: number[], bound: number) => [
        { name: `${name}.weight`, shape, init: { bound }, torch: { shape: kernel } },
        { name: `${name}.bias`, shape: [shape[1]!], init: { bound } },
      ];
      return [
        ...weights('conv', [middle, hidden, 3, 3], [9 * hidden, middle], wide),
        ...(batchNorm ? normParameters(middle) : []),
        ...weights('classify', [classes, middle, 1, 1], [middle, classes], narrow),
      ];
    },
    forward: (grid, pass) => {
      const { get, random, patch } = pass;
      let x = conv3x3(grid, get('conv.weight'), get('conv.bias'));
      if (batchNorm) x = normalized(x, pass);
      x = relu(x);
      x = dropout(x, rate, random, [x.shape[0]!, 1, 1, x.shape[3]!]);
      return upsample(linear(x, get('classify.weight'), get('classify.bias')), patch);
    },
  };
}

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

function normParameters(size: number): HeadParameter[] {
  const constant = (name: string, value: number) => ({
    name: `norm.${name}`,
    shape: [size],
    init: { value },
  });
  return [
    constant('weight', 1),
    constant('bias', 0),
    { ...constant('mean', 0), buffer: true, torch: { key: 'norm.running_mean' } },
    { ...constant('variance', 1), buffer: true, torch: { key: 'norm.running_var' } },
  ];
}

/**
 * Batch normalisation (Ioffe & Szegedy 2015) with PyTorch's settings: while it trains, by the batch's own
 * statistics, which also move the running ones (the unbiased variance) by a tenth; otherwise by the running ones.
 *
 * @throws UserError for one value a channel, which has no variance, while it trains.
 */
function normalized(x: Tensor, pass: HeadPass): Tensor {
  const get = (name: string) => pass.get(`norm.${name}`);
  const scaled = (centered: Tensor, variance: Tensor) =>
    add(mul(mul(centered, rsqrt(add(variance, EPSILON))), get('weight')), get('bias'));
  if (!pass.random) return scaled(sub(x, get('mean')), get('variance'));
  const count = x.size / x.shape.at(-1)!;
  if (count === 1)
    throw new UserError(
      'BatchNorm: expected more than one value a channel to train on, got 1; raise --batch-size or --image-size, or leave out --batch-norm',
    );
  const average = mean(x, [0, 1, 2]);
  const centered = sub(x, average);
  const variance = mean(square(centered), [0, 1, 2]);
  const move = (name: string, to: Tensor, factor: number) =>
    pass.set(
      `norm.${name}`,
      tidy(() => add(mul(get(name), 1 - MOMENTUM), mul(to, MOMENTUM * factor))),
    );
  move('mean', average, 1);
  move('variance', variance, count / (count - 1));
  return scaled(centered, variance);
}
