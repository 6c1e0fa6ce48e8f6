import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { add, mean, mul, rsqrt, square, sub, tidy } from '../../base/tfjs-core.js';
import type { HeadParameter, HeadPass } from './head.js';

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

/** The parameters and the state of `batchNorm`, under PyTorch's names in a module `norm`. */
export function batchNormParameters(size: number): HeadParameter[] {
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
export function batchNorm(x: Tensor, pass: HeadPass): Tensor {
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
