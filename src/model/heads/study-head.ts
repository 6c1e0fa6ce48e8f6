import { relu } from '../../base/tfjs-core.js';
import { conv3x3 } from '../../engine/ops/conv3x3.js';
import { dropout } from '../../engine/ops/dropout.js';
import { linear } from '../../engine/ops/linear.js';
import { upsample } from '../../engine/ops/upsample.js';
import { batchNorm, batchNormParameters } from './batch-norm.js';
import type { Head, HeadOptions } from './head.js';

/**
 * The head of the study that this project re-imagines: Conv3×3 d→d/2, [BatchNorm], ReLU, [Dropout2d], Conv1×1 → classes, and the patches enlarged to
 * pixels.
 *
 * Convolutions start as PyTorch's do, weight and bias uniform in ±1/√fan_in. In PyTorch it is a module with `conv`, `norm`
 * (where there is one) and `classify`.
 */
export function studyHead({ classes, batchNorm: normed = false, dropout: rate = 0 }: HeadOptions): Head {
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
        ...(normed ? batchNormParameters(middle) : []),
        ...weights('classify', [classes, middle, 1, 1], [middle, classes], narrow),
      ];
    },
    forward: (grid, pass) => {
      const { get, random, patch } = pass;
      let x = conv3x3(grid, get('conv.weight'), get('conv.bias'));
      if (normed) x = batchNorm(x, pass);
      x = relu(x);
      x = dropout(x, rate, random, [x.shape[0]!, 1, 1, x.shape[3]!]);
      return upsample(linear(x, get('classify.weight'), get('classify.bias')), patch);
    },
  };
}
