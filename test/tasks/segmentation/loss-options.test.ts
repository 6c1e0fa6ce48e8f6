import assert from 'node:assert/strict';
import { type Tensor, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { valueAndGradients } from '../../../src/engine/value-and-gradients.js';
import { checkQueries, segmentationLoss } from '../../../src/experiment/segmentation-loss.js';
import type { Loss } from '../../../src/model/loss.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { crossEntropy } from '../../../src/tasks/segmentation/losses/cross-entropy.js';
import { lossSum } from '../../../src/tasks/segmentation/losses/loss-sum.js';
import { losses } from '../../../src/tasks/segmentation/losses/losses.js';

const random = randomStream(6, 'loss options');
const LOGITS = Array.from({ length: 2 * 2 * 3 * 3 }, () => 4 * random() - 2);
// The last pixel is ignored.
const MASKS = [0, 1, 1, 0, 2, 1, 1, 1, 0, 1, 0, 255];

/** The value and its gradient by the logits, as numbers. */
function compute(loss: Loss, logits = LOGITS, masks = MASKS): { value: number; gradient: number[] } {
  let result: { value: number; gradient: number[] } | undefined;
  tidy(() => {
    const x: Tensor = tensor4d(logits, [2, 2, 3, 3]);
    const { value, gradients } = valueAndGradients(() => loss(x, tensor3d(masks, [2, 2, 3], 'int32')), [x]);
    result = { value: value.dataSync()[0]!, gradient: [...gradients[0]!.dataSync()] };
  });
  return result!;
}

/** −log p of each pixel that counts. */
const each = MASKS.flatMap((mask, i) => {
  if (mask === 255) return [];
  const row = LOGITS.slice(3 * i, 3 * i + 3);
  return [Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[mask]!];
});
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('crossEntropy with options', () => {
  for (const options of [
    { smoothing: 0.1 },
    { smoothing: 0.2, weights: [1, 2, 0.5] },
    { hardest: 0.4 },
    { hardest: 0.4, smoothing: 0.1, weights: [1, 2, 0.5] },
  ])
    describe(JSON.stringify(options), () => {
      const loss = crossEntropy(options);

      it('has the gradient of its central differences', () => {
        const step = 1e-3;
        const shift = (i: number, by: number) => LOGITS.map((x, j) => (i === j ? x + by : x));
        compute(loss).gradient.forEach((g, i) => {
          const [above, below] = [step, -step].map((by) => compute(loss, shift(i, by)).value);
          const numeric = (above! - below!) / (2 * step);
          assert.ok(Math.abs(g - numeric) < 1e-3, `[${i}] ${g}, numeric ${numeric}`);
        });
      });

      it('does not depend on ignored pixels, and is 0 where all are', () => {
        const other = LOGITS.map((x, i) => (i >= LOGITS.length - 3 ? x + 3 : x));
        assert.equal(compute(loss, other).value, compute(loss).value);
        const none = compute(
          loss,
          LOGITS,
          MASKS.map(() => 255),
        );
        assert.ok(none.value === 0 && none.gradient.every((g) => g === 0));
      });
    });

  it('keeps the hardest share of the pixels that count, rounded up', () => {
    const hardest = each.toSorted((a, b) => b - a);
    for (const [share, count] of [
      [0.01, 1],
      [0.4, 5],
      [1, 11],
    ] as const) {
      const { value, gradient } = compute(crossEntropy({ hardest: share }));
      assert.ok(Math.abs(value - mean(hardest.slice(0, count))) < 1e-6);
      const rows = MASKS.filter((_, i) => gradient.slice(3 * i, 3 * i + 3).some((g) => g !== 0));
      assert.equal(rows.length, count);
    }
  });

  it('shares the last places among pixels of equal losses', () => {
    const even = LOGITS.map(() => 0);
    const { value, gradient } = compute(crossEntropy({ hardest: 0.5 }), even);
    assert.ok(Math.abs(value - Math.log(3)) < 1e-6);
    const row = gradient.slice(0, 3).map(Math.abs);
    for (let i = 0; i < 11; i++)
      assert.deepEqual(
        gradient
          .slice(3 * i, 3 * i + 3)
          .map(Math.abs)
          .toSorted((a, b) => a - b),
        row.toSorted((a, b) => a - b),
      );
  });

  it('refuses shares that are none', () => {
    assert.throws(
      () => crossEntropy({ smoothing: 1 }),
      /smoothing: expected a number from 0 up and below 1, got 1/,
    );
    assert.throws(
      () => crossEntropy({ hardest: 0 }),
      /hardest: expected a share above 0 and at most 1, got 0/,
    );
  });
});

describe('boundary', () => {
  it('is the mean of p·φ over pixels and classes: far outside costs most, inside pays', () => {
    // One picture, 1 × 5, class 1 in its middle: φ of class 1 is 2 1 0 1 2, of class 0 it is −1 0 1 0 −1.
    const at = (logits: readonly number[]) => {
      let value = 0;
      tidy(() => {
        const x = tensor4d([...logits], [1, 1, 5, 2]);
        value = losses
          .make('boundary')(x, tensor3d([0, 0, 1, 0, 0], [1, 1, 5], 'int32'))
          .dataSync()[0]!;
      });
      return value;
    };
    const sure = (classes: readonly number[]) =>
      classes.flatMap((k) => [k === 0 ? 50 : -50, k === 0 ? -50 : 50]);
    assert.ok(Math.abs(at(sure([0, 0, 1, 0, 0])) - -2 / 10) < 1e-6);
    assert.ok(Math.abs(at(sure([1, 0, 1, 0, 0])) - (2 - 1) / 10) < 1e-6);
    assert.ok(Math.abs(at(sure([0, 0, 0, 0, 0])) - (-2 + 1) / 10) < 1e-6);
  });
});

describe('lossSum', () => {
  it('is the sum of its terms, each times its factor', () => {
    const parts = ['dice', 'cross-entropy', 'boundary'].map((name) => compute(losses.make(name)).value);
    const { value } = compute(lossSum('dice + cross-entropy+0.01*boundary'));
    assert.ok(Math.abs(value - (parts[0]! + parts[1]! + 0.01 * parts[2]!)) < 1e-6);
    const compound = compute(losses.make('dice-cross-entropy')).value;
    assert.ok(Math.abs(compute(lossSum('dice+cross-entropy')).value - compound) < 1e-6);
  });

  for (const [text, message] of [
    ['dice+croos-entropy', /did you mean cross-entropy\?/],
    ['dice+', /expected one of .*, got ""/],
    ['0*dice', /expected a factor above 0, such as 0\.5\*dice, got 0\*dice/],
    ['dice+2*dice', /expected each loss once, got dice twice/],
  ] as const)
    it(`refuses ${text}`, () => assert.throws(() => lossSum(text), { name: 'UserError', message }));
});

describe('checkQueries', () => {
  const [says, none] = [{ saysQueries: true }, { saysQueries: false }];

  it('takes a loss of queries with a head that says some, and other losses with any', () => {
    checkQueries({ loss: 'set' }, says);
    checkQueries({ loss: 'dice', head: 'study', deepSupervision: 0.4 }, none);
  });

  it('refuses a loss of queries where the head, or an auxiliary head, says none', () => {
    assert.throws(() => checkQueries({ loss: '0.5*set+dice', head: 'detail' }, none), {
      name: 'UserError',
      message:
        '--loss 0.5*set+dice: expected a head that says queries, such as --head mask, got --head detail',
    });
    assert.throws(() => checkQueries({ loss: 'set' }, none), /got --head study$/);
    assert.throws(() => checkQueries({ loss: 'set', deepSupervision: 0.4 }, says), {
      name: 'UserError',
      message: /^--loss set: expected no auxiliary heads, .*, got --deep-supervision 0\.4; leave it out, or/,
    });
  });
});

describe('segmentationLoss', () => {
  it('gives options to the term that reads them', () => {
    const loss = segmentationLoss({ loss: 'dice+cross-entropy', labelSmoothing: 0.1 }, [1, 2, 3]);
    const expected = compute(crossEntropy({ smoothing: 0.1, weights: [1, 2, 3] })).value;
    assert.ok(Math.abs(compute(loss).value - compute(losses.make('dice')).value - expected) < 1e-6);
  });

  for (const [settings, weights, flag] of [
    [{ loss: 'dice+focal', labelSmoothing: 0.1 }, undefined, '--label-smoothing'],
    [{ loss: 'log-cosh-dice', ohem: 0.5 }, undefined, '--ohem'],
    [{ loss: 'dice+boundary' }, [1, 2, 3], '--class-weights'],
    [{ loss: 'set' }, [1, 2, 3], '--class-weights'],
  ] as const)
    it(`refuses ${flag} where no term reads it`, () =>
      assert.throws(() => segmentationLoss(settings, weights), {
        name: 'UserError',
        message: new RegExp(`^${flag}: expected a loss that .*, got ${settings.loss.replace('+', '\\+')};`),
      }));
});
