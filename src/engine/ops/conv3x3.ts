import type { Tensor } from '@tensorflow/tfjs-core';
import { add, concat, pad, reshape, slice, sum } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { expectShape } from '../shapes.js';
import { inputGradient, linear, weightGradient } from './linear.js';

const SHIFTS = [0, 1, 2].flatMap((down) => [0, 1, 2].map((right) => [down, right] as const));

const patches = defineOp<{ x: Tensor }, object>({
  name: 'Patches',
  plain: ({ x }) => {
    const padded = pad(x, frame(1, 1));
    const shifted = SHIFTS.map(([down, right]) => slice(padded, [0, down, right, 0], x.shape));
    return concat(shifted, 3);
  },
});

const patchesGradient = defineOp<{ dy: Tensor }, object>({
  name: 'PatchesGrad',
  plain: ({ dy }) => {
    const [batch, height, width, all] = dy.shape as [number, number, number, number];
    const channels = all / 9;
    const parts = SHIFTS.map(([down, right], i) =>
      pad(slice(dy, [0, 0, 0, i * channels], [batch, height, width, channels]), frame(down, right)),
    );
    const total = parts.reduce((sum, part) => add(sum, part));
    return slice(total, [0, 1, 1, 0], [batch, height, width, channels]);
  },
});

const run = defineOp<{ x: Tensor; weight: Tensor; bias: Tensor }, object>({
  name: 'Conv3x3',
  plain: ({ x, weight, bias }) => linear(patches({ x }, {})[0]!, weight, bias),
  saves: { inputs: ['x', 'weight'] },
  gradient: (dy, [x, weight]) => ({
    x: () => runInputGradient({ dy, weight: weight! }, {})[0]!,
    weight: () => runWeightGradient({ x: x!, dy }, {})[0]!,
    bias: () => sum(reshape(dy, [-1, dy.shape.at(-1)!]), 0),
  }),
});

const runInputGradient = defineOp<{ dy: Tensor; weight: Tensor }, object>({
  name: 'Conv3x3GradInput',
  plain: ({ dy, weight }) => patchesGradient({ dy: inputGradient({ dy, weight }, {})[0]! }, {})[0]!,
});

const runWeightGradient = defineOp<{ x: Tensor; dy: Tensor }, object>({
  name: 'Conv3x3GradWeight',
  plain: ({ x, dy }) => weightGradient({ x: patches({ x }, {})[0]!, dy }, {})[0]!,
});

/**
 * A 3×3 convolution with zero padding of one, as one matrix product over the neighbourhoods of all pixels (im2col), so
 * that every engine has its gradient. The neighbourhoods, nine times x, are gathered anew for the weight's gradient.
 *
 * Shapes: x [batch, h, w, in], weight [9·in, out] with rows in the order (row, column, channel), bias [out].
 */
export function conv3x3(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  expectShape('conv3x3', 'x', x, [-1, -1, -1, -1]);
  expectShape('conv3x3', 'weight', weight, [9 * x.shape[3]!, -1]);
  expectShape('conv3x3', 'bias', bias, [weight.shape[1]!]);
  return run({ x, weight, bias }, {})[0]!;
}

/** Padding that puts an image at a place of a frame two pixels larger. */
function frame(down: number, right: number): [number, number][] {
  return [
    [0, 0],
    [down, 2 - down],
    [right, 2 - right],
    [0, 0],
  ];
}
