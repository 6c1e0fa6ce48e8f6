import assert from 'node:assert/strict';
import { type Tensor, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { valueAndGradients } from '../../../src/engine/value-and-gradients.js';
import type { Loss } from '../../../src/model/loss.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { boundary } from '../../../src/tasks/segmentation/losses/boundary.js';
import { crossEntropy } from '../../../src/tasks/segmentation/losses/cross-entropy.js';
import { needsPython } from '../python.js';
import { TODAY } from './requirements.js';

const shape = [2, 9, 7, 4] as const;
const random = randomStream(3, 'torch losses');
const logits = Array.from({ length: 2 * 9 * 7 * 4 }, () => 2 * normal(random));
const masks = Array.from({ length: 2 * 9 * 7 }, () => (random() < 0.1 ? 255 : Math.floor(4 * random())));
const [smoothing, hardest, weights] = [0.1, 0.3, [1, 2, 0.5, 0.25]];

const ours: Readonly<Record<string, Loss>> = {
  smoothed: crossEntropy({ smoothing }),
  'smoothed and weighted': crossEntropy({ smoothing, weights }),
  hardest: crossEntropy({ hardest }),
  boundary: boundary(),
};

interface Answer {
  readonly value: number;
  readonly gradient: readonly number[];
}

describe("PyTorch's losses", () => {
  let theirs: Readonly<Record<string, Answer>>;
  before(async function () {
    const python = await needsPython(this, 'transformers-5', TODAY);
    const input = { shape, logits, masks, smoothing, hardest, weights };
    theirs = await python.json(new URL('losses_twin.py', import.meta.url), [], input);
  });

  for (const [name, loss] of Object.entries(ours))
    it(`${name}: our value and gradient`, () => {
      tidy(() => {
        const x: Tensor = tensor4d(logits, [...shape]);
        const { value, gradients } = valueAndGradients(
          () => loss(x, tensor3d(masks, [2, 9, 7], 'int32')),
          [x],
        );
        const { value: expected, gradient } = theirs[name]!;
        assert.ok(Math.abs(value.dataSync()[0]! - expected) < 1e-5, `${value.dataSync()[0]}, ${expected}`);
        gradients[0]!.dataSync().forEach((g, i) => {
          assert.ok(Math.abs(g - gradient[i]!) < 1e-6, `[${i}] ${g}, ${gradient[i]}`);
        });
      });
    });
});
