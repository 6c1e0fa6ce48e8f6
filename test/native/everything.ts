import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { attention } from '../../src/engine/ops/attention.js';
import { conv3x3 } from '../../src/engine/ops/conv3x3.js';
import { softmaxCrossEntropy } from '../../src/engine/ops/cross-entropy.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { branchNorm } from '../../src/engine/ops/layer-norm.js';
import { linear } from '../../src/engine/ops/linear.js';
import { linears } from '../../src/engine/ops/linears.js';
import { overlap } from '../../src/engine/ops/overlap.js';
import { upsample } from '../../src/engine/ops/upsample.js';
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';

const drawn = (...shape: number[]) => tf.randomNormal(shape, 0, 1, 'float32', 1);

/** Calls every kernel that training uses as it should be called. */
export function everything(): void {
  const masks = tf.tensor([0, 1, 255, 2], [2, 2], 'int32');
  const fixed = drawn(4, 6);
  const losses: [(...inputs: Tensor[]) => Tensor, ...Tensor[]][] = [
    [
      (x, w, b, p, q, r, s, y) => {
        const lowRank = { a: p!, b: q!, scale: 0.5 };
        const blocks = { a: r!, b: s!, scale: 2 };
        const [one] = linears([
          { x: x!, weight: w!, bias: b!, lowRank },
          { x: x!, weight: w!, lowRank: blocks },
        ]);
        return tf.add(one!, linears([{ x: x!, weight: w!, bias: b!, lowRank }], y)[0]!);
      },
      drawn(2, 3, 4),
      drawn(4, 6),
      drawn(6),
      drawn(4, 2),
      drawn(2, 6),
      drawn(2, 2, 4),
      drawn(2, 4, 3),
      drawn(2, 3, 6),
    ],
    [(x) => linears([{ x: x!, weight: fixed, frozen: true }])[0]!, drawn(2, 3, 4)],
    [(x, w, b) => linear(x!, w!, b!), drawn(2, 3, 4), drawn(4, 6), drawn(6)],
    [(x, g, b) => tf.concat(branchNorm(x!, g!, b!, 1e-3), 1), drawn(2, 3, 4), drawn(4), drawn(4)],
    [(q, k, v) => attention(q!, k!, v!, 2), drawn(2, 3, 4), drawn(2, 3, 4), drawn(2, 3, 4)],
    [(x) => gelu(x!), drawn(2, 3)],
    [(x) => upsample(x!, 2), drawn(1, 2, 3, 2)],
    [(x, w, b) => conv3x3(x!, w!, b!), drawn(1, 2, 3, 2), drawn(18, 4), drawn(4)],
    [(x) => overlap(x!, masks), drawn(2, 2, 3)],
    [(x) => softmaxCrossEntropy(x!, masks), drawn(2, 2, 3)],
    [(x, y) => tf.matMul(x!, y!, false, true), drawn(2, 3, 4), drawn(2, 5, 4)],
    [
      (x) =>
        tf.split(
          tf.pad(x!, [
            [1, 0],
            [0, 2],
          ]),
          [2, 1],
        )[0]!,
      drawn(2, 3),
    ],
    [(x) => tf.softmax(x!), drawn(2, 3)],
    [(x, y) => tf.mul(tf.sum(x!, 1), tf.max(y!)), drawn(2, 3), drawn(3)],
  ];
  for (const [loss, ...inputs] of losses)
    valueAndGradients(() => tf.sum(tf.square(loss(...inputs))), inputs).gradients.map((gradient) =>
      gradient?.dataSync(),
    );
  const x = drawn(3, 4);
  const at = tf.tensor([2, 0], [2], 'int32');
  const larger = tf.greater(x, tf.zerosLike(x));
  const moments = { gradient: x, m: x, v: tf.abs(x) };
  const constants = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 1 };
  for (const tensor of [
    tf.where(tf.logicalNot(larger as never), x, tf.neg(x)),
    tf.cast(larger, 'float32'),
    tf.sum(tf.cast(x, 'int32')),
    tf.oneHot(at as never, 3),
    tf.gather(x, at),
    tf.argMax(x, 1),
    tf.logSoftmax(x),
    tf.engine().runKernel('LogSoftmax', { logits: x }) as Tensor,
    ...(tf.engine().runKernel('AdamUpdate', moments, constants) as Tensor[]),
  ])
    tensor.dataSync();
}
