import {
  add,
  keep,
  mean,
  mul,
  relu,
  rsqrt,
  square,
  sub,
  type Tensor,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { conv3x3 } from '../../engine/ops/conv3x3.js';
import { dropout } from '../../engine/ops/dropout.js';
import { linear } from '../../engine/ops/linear.js';
import { upsample } from '../../engine/ops/upsample.js';
import { randomStream } from '../../random/random-stream.js';
import type { Pass } from '../model.js';
import type { Parameters } from '../parameters.js';
import type { TorchPlace } from '../torch-place.js';

export interface HeadOptions {
  readonly classes: number;
  /** BatchNorm after the first convolution. Default false. */
  readonly batchNorm?: boolean;
  /** Dropout2d rate after the ReLU, 0 to 1. Default 0. */
  readonly dropout?: number;
}

/**
 * Puts the segmentation head among the parameters: Conv3×3 d→d/2, [BatchNorm], Conv1×1 → classes.
 *
 * Convolutions start as PyTorch's do, weight and bias uniform in ±1/√fan_in.
 */
export function addHead(parameters: Parameters, hidden: number, options: HeadOptions, seed: number): void {
  const middle = Math.floor(hidden / 2);
  const add = (name: string, shape: number[], bound: number) => {
    const random = randomStream(seed, 'head', name);
    const size = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: size }, () => (2 * random() - 1) * bound);
    parameters.add({ name: `head.${name}`, group: 'head', trainable: true, value: tensor(data, shape) });
  };
  const constant = (name: string, value: number, trainable: boolean) =>
    parameters.add({
      name: `head.${name}`,
      group: 'head',
      trainable,
      buffer: !trainable,
      value: tensor(new Float32Array(middle).fill(value), [middle]),
    });
  add('conv.weight', [9 * hidden, middle], 1 / Math.sqrt(9 * hidden));
  add('conv.bias', [middle], 1 / Math.sqrt(9 * hidden));
  if (options.batchNorm) {
    constant('norm.weight', 1, true);
    constant('norm.bias', 0, true);
    constant('norm.mean', 0, false);
    constant('norm.variance', 1, false);
  }
  add('classify.weight', [middle, options.classes], 1 / Math.sqrt(middle));
  add('classify.bias', [options.classes], 1 / Math.sqrt(middle));
}

/** The head in PyTorch: a module with `conv`, `norm` (where there is one) and `classify`. */
export function headPlaces(parameters: Parameters, hidden: number, { classes }: HeadOptions): TorchPlace[] {
  const middle = Math.floor(hidden / 2);
  const kernels: Record<string, readonly number[]> = {
    'conv.weight': [middle, hidden, 3, 3],
    'classify.weight': [classes, middle, 1, 1],
  };
  const renamed: Record<string, string> = {
    'norm.mean': 'norm.running_mean',
    'norm.variance': 'norm.running_var',
  };
  return [...parameters]
    .filter(({ group }) => group === 'head')
    .map(({ name, value }) => {
      const own = name.replace(/^head\./, '');
      return { parameter: name, key: renamed[own] ?? own, shape: kernels[own] ?? value.shape };
    });
}

/** Logits of a grid of patch features: [batch, side, side, d] → [batch, side·patch, side·patch, classes]. */
export function segment(
  parameters: Parameters,
  grid: Tensor,
  patch: number,
  options: HeadOptions,
  pass: Pass,
): Tensor {
  const get = (name: string) => parameters.get(`head.${name}`);
  let x = conv3x3(grid, get('conv.weight'), get('conv.bias'));
  if (options.batchNorm) x = batchNorm(parameters, x, pass);
  x = relu(x);
  x = dropout(x, options.dropout ?? 0, pass.random, [x.shape[0]!, 1, 1, x.shape[3]!]);
  return upsample(linear(x, get('classify.weight'), get('classify.bias')), patch);
}

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

/**
 * Batch normalisation (Ioffe & Szegedy 2015) with PyTorch's settings: while it trains, by the batch's own
 * statistics, which also move the running ones (the unbiased variance) by a tenth; otherwise by the running ones.
 *
 * @throws UserError for one value a channel, which has no variance, while it trains.
 */
function batchNorm(parameters: Parameters, x: Tensor, pass: Pass): Tensor {
  const get = (name: string) => parameters.get(`head.norm.${name}`);
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
    parameters.set(
      `head.norm.${name}`,
      keep(tidy(() => add(mul(get(name), 1 - MOMENTUM), mul(to, MOMENTUM * factor)))),
    );
  move('mean', average, 1);
  move('variance', variance, count / (count - 1));
  return scaled(centered, variance);
}
