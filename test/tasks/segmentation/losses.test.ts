import assert from 'node:assert/strict';
import '@tensorflow/tfjs-backend-wasm';
import { setBackend, type Tensor, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { valueAndGradients } from '../../../src/engine/value-and-gradients.js';
import type { Loss } from '../../../src/model/loss.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { losses } from '../../../src/tasks/segmentation/losses/losses.js';

const random = randomStream(5, 'losses');
const LOGITS = Array.from({ length: 2 * 2 * 3 * 3 }, () => 4 * random() - 2);
// Class 2 is absent; the last pixel is ignored.
const MASKS = [0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 255];

function run<R>(
  loss: Loss,
  logits: readonly number[],
  masks: readonly number[],
  read: (value: Tensor, gradient: Tensor) => R,
): R {
  return tidyNumbers(() => {
    const x = tensor4d([...logits], [2, 2, 3, 3]);
    const { value, gradients } = valueAndGradients(
      () => loss(x, tensor3d([...masks], [2, 2, 3], 'int32')),
      [x],
    );
    return read(value, gradients[0]!);
  });
}

function tidyNumbers<R>(fn: () => R): R {
  let result: R | undefined;
  tidy(() => {
    result = fn();
  });
  return result!;
}

const value = (loss: Loss, logits = LOGITS, masks = MASKS) =>
  run(loss, logits, masks, (v) => v.dataSync()[0]!);
const gradient = (loss: Loss, logits = LOGITS, masks = MASKS) =>
  run(loss, logits, masks, (_, g) => [...g.dataSync()]);

describe('losses', () => {
  // `set` reads queries beside the logits: set-prediction.test.ts has its tests.
  for (const name of losses.names.filter((name) => name !== 'set')) {
    const make = losses.get(name);
    describe(name, () => {
      it('refuses a class that the logits do not have', () => {
        for (const wrong of [3, 254, -1])
          assert.throws(() => value(make(), LOGITS, [wrong, ...MASKS.slice(1)]), {
            name: 'UserError',
            message: new RegExp(
              `expected the classes 0 to 2 of the model, or 255 for ignored, got ${wrong};`,
            ),
          });
      });

      const loss = make();

      it('has the gradient of its central differences', () => {
        const step = 1e-2;
        const shift = (i: number, by: number) => LOGITS.map((x, j) => (i === j ? x + by : x));
        const analytic = gradient(loss);
        const scale = Math.max(...analytic.map(Math.abs));
        analytic.forEach((g, i) => {
          const numeric = (value(loss, shift(i, step)) - value(loss, shift(i, -step))) / (2 * step);
          assert.ok(Math.abs(g - numeric) < 0.02 * scale + 1e-5, `[${i}] ${g}, numeric ${numeric}`);
        });
      });

      it('does not depend on ignored pixels', () => {
        const other = LOGITS.map((x, i) => (i >= LOGITS.length - 3 ? x + 3 : x));
        assert.ok(Math.abs(value(loss, other) - value(loss)) < 1e-6);
        assert.deepEqual(gradient(loss).slice(-3).map(Math.abs), [0, 0, 0]);
      });

      it('is 0 with a gradient of 0 where all is ignored', () => {
        const all = MASKS.map(() => 255);
        assert.equal(Math.abs(value(loss, LOGITS, all)), 0);
        assert.ok(gradient(loss, LOGITS, all).every((g) => Math.abs(g) === 0));
      });

      it('is finite for logits of ±1e4, and near 0 where they are right', () => {
        const sure = (right: boolean) =>
          MASKS.flatMap((mask) => [0, 1, 2].map((c) => ((c === mask) === right ? 1e4 : -1e4)));
        assert.ok(Number.isFinite(value(loss, sure(false))));
        assert.ok(gradient(loss, sure(false)).every(Number.isFinite));
        // Upstream's reading keeps a loss for the absent class: softmax gives it next to nothing, so dice is near 1.
        assert.ok(value(loss, sure(true)) < 1e-4, String(value(loss, sure(true))));
      });

      it('gives the same on wasm', async () => {
        const onCpu = [value(loss), ...gradient(loss)];
        await setBackend('wasm');
        try {
          [value(loss), ...gradient(loss)].forEach((x, i) => {
            assert.ok(Math.abs(x - onCpu[i]!) < 1e-5, `[${i}] ${x}, cpu ${onCpu[i]}`);
          });
        } finally {
          await setBackend('cpu');
        }
      });
    });
  }

  it('refuse an unknown name and suggest the nearest', () => {
    assert.throws(
      () => losses.make('crossentropy'),
      /loss: expected one of .*; did you mean cross-entropy\?/,
    );
  });
});
