import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { matMul, mean, mul, type Scalar, setBackend, square, tensor2d } from '@tensorflow/tfjs-core';
import type { Batch } from '../../src/data/batch.js';
import type { Model } from '../../src/model/model.js';
import { Parameters } from '../../src/model/parameters.js';
import type { LossScale } from '../../src/train/loss-scale.js';
import { adamW } from '../../src/train/optimizers/adam.js';
import { sgd } from '../../src/train/optimizers/sgd.js';
import { Training } from '../../src/train/training.js';
import { need, start } from '../engine/tested-engines.js';

/** A training as torch.amp.GradScaler scaled it. */
interface Case {
  readonly name: string;
  readonly optimizer: 'adamW' | 'sgd';
  readonly initial?: number;
  readonly growthInterval: number;
  readonly clip?: number;
  /** Whether its product is f16's. */
  readonly autocast?: true;
  /** What the loss is multiplied by in each step, as text. */
  readonly gains: readonly string[];
  readonly steps: readonly {
    /** The scale of the step, and scale and good steps after it. */
    readonly used: number;
    readonly scale: number;
    readonly good: number;
    readonly skipped: boolean;
    readonly weights: readonly number[];
  }[];
}

// Made by golden/make_grad_scaler.py.
const golden = JSON.parse(readFileSync(new URL('golden/grad-scaler.json', import.meta.url), 'utf8')) as {
  readonly x: number[][];
  readonly start: number[][];
  readonly cases: readonly Case[];
};

const optimizers = {
  adamW: (clip: number | undefined) => adamW({ weightDecay: 0.1, ...(clip !== undefined && { clip }) }),
  sgd: (clip: number | undefined) => sgd({ momentum: 0.9, ...(clip !== undefined && { clip }) }),
};

/** x·w, of which w trains. */
function productModel(): Model {
  const parameters = new Parameters();
  parameters.add({ name: 'w', group: 'head', trainable: true, value: tensor2d(golden.start) });
  return {
    parameters,
    forward: (x) => matMul(x, parameters.get('w')),
    dispose: () => parameters.dispose(),
  };
}

/** Trains as the case says; each step is compared with torch's, its weights within `tolerance` of the largest. */
async function follow({ optimizer, clip, gains, steps, ...scaling }: Case, tolerance: number): Promise<void> {
  const model = productModel();
  const training = new Training({
    model,
    loss: (y): Scalar => mul(mean(square(y)), Number(gains[training.position])),
    optimizer: optimizers[optimizer](clip),
    learningRate: 0.01,
    seed: 1,
    lossScale: {
      growthInterval: scaling.growthInterval,
      ...(scaling.initial && { initial: scaling.initial }),
    },
  });
  const inputs = tensor2d(golden.x);
  for (const [position, { weights, ...expected }] of steps.entries()) {
    const { lossScale: used, skipped = false } = await training.step({
      plan: { position, samples: [] },
      inputs,
      targets: inputs,
    } as unknown as Batch);
    const { scale, good } = training.state.lossScale as LossScale;
    assert.deepEqual({ used, skipped, scale, good }, expected, `step ${position}`);
    const largest = Math.max(...weights.map(Math.abs));
    model.parameters
      .get('w')
      .dataSync()
      .forEach((value, i) => {
        const error = Math.abs(value - weights[i]!) / largest;
        assert.ok(error <= tolerance, `step ${position}: weight ${i} is ${value}, torch's ${weights[i]}`);
      });
  }
  inputs.dispose();
  training.dispose();
  model.dispose();
}

describe("torch.amp.GradScaler's own trainings", () => {
  for (const one of golden.cases.filter(({ autocast }) => !autocast))
    it(`${one.name}: the same scales, skipped steps and weights`, () => follow(one, 1e-6));

  describe('in f16 on the torch engine', () => {
    before(need('torch'));
    beforeEach(() => start('torch', { precision: 'f16', threads: 1 }));
    after(() => setBackend('cpu'));

    for (const one of golden.cases.filter(({ autocast }) => autocast))
      it(`${one.name}: the same scales, skipped steps and weights`, () => follow(one, 1e-6));
  });
});
