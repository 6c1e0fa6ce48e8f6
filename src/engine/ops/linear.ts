import type { Tensor } from '@tensorflow/tfjs-core';
import { add, matMul, reshape, sum } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { expectShape } from '../shapes.js';

const run = defineOp<{ x: Tensor; weight: Tensor; bias?: Tensor }, object>({
  name: 'Linear',
  plain: ({ x, weight, bias }) => {
    const y = matMul(rows(x), weight as Tensor);
    return reshape(bias ? add(y, bias) : y, [...x.shape.slice(0, -1), weight.shape[1]!]);
  },
  saves: { inputs: ['x', 'weight'] },
  gradient: (dy, [x, weight]) => ({
    x: () => inputGradient({ dy, weight: weight! }, {})[0]!,
    weight: () => weightGradient({ x: x!, dy }, {})[0]!,
    bias: () => sum(rows(dy), 0),
  }),
});

/** dy·Wᵀ. */
export const inputGradient = defineOp<{ dy: Tensor; weight: Tensor }, object>({
  name: 'LinearGradInput',
  plain: ({ dy, weight }) =>
    reshape(matMul(rows(dy), weight as Tensor, false, true), [...dy.shape.slice(0, -1), weight.shape[0]!]),
});

/** xᵀ·dy over all rows. */
export const weightGradient = defineOp<{ x: Tensor; dy: Tensor }, object>({
  name: 'LinearGradWeight',
  plain: ({ x, dy }) => matMul(rows(x), rows(dy), true, false),
});

/**
 * y = x·W + b over the last axis.
 *
 * Shapes: x [..., in], weight [in, out] (the transpose of PyTorch's), bias [out], y [..., out].
 *
 * @example
 * linear(tokens, weight, bias); // [8, 197, 192] → [8, 197, 768]
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  expectMap('linear', { x, weight, bias });
  return run({ x, weight, ...(bias && { bias }) }, {})[0]!;
}

/** Refuses a weight or a bias whose shape does not match x. */
export function expectMap(
  operation: string,
  { x, weight, bias }: { x: Tensor; weight: Tensor; bias?: Tensor | undefined },
): void {
  expectShape(operation, 'x', x, x.rank === 0 ? [-1] : x.shape);
  expectShape(operation, 'weight', weight, [x.shape.at(-1)!, -1]);
  if (bias) expectShape(operation, 'bias', bias, [weight.shape[1]!]);
}

function rows(x: Tensor): Tensor {
  return reshape(x, [-1, x.shape.at(-1)!]);
}
