import assert from 'node:assert/strict';
import { memory, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import type { BatchPlan } from '../../src/data/types.js';
import { crossEntropy } from '../../src/tasks/segmentation/losses/cross-entropy.js';
import { logCoshDice } from '../../src/tasks/segmentation/losses/log-cosh-dice.js';
import { accumulate } from '../../src/train/optimizers/accumulate.js';
import { adam, adamW } from '../../src/train/optimizers/adam.js';
import { sgd } from '../../src/train/optimizers/sgd.js';
import { trapezoid } from '../../src/train/schedules/trapezoid.js';
import { Training } from '../../src/train/training.js';
import type { TrainingOptions } from '../../src/train/training-options.js';
import { tinyBatch, tinyModel, tinyPlans } from './tiny.js';

/** A training of the tiny model, disposed after `work`. */
async function withTraining(
  options: Partial<TrainingOptions>,
  work: (training: Training) => Promise<void>,
): Promise<void> {
  const model = tinyModel();
  const training = new Training({
    model,
    loss: logCoshDice(),
    optimizer: adamW(),
    learningRate: 0.05,
    seed: 42,
    ...options,
  });
  try {
    await work(training);
  } finally {
    training.dispose();
    model.dispose();
  }
}

async function stepAll(training: Training, plans = tinyPlans({})): Promise<number[]> {
  const losses: number[] = [];
  for (const plan of plans) {
    const batch = tinyBatch(plan);
    try {
      losses.push((await training.step(batch)).loss);
    } finally {
      batch.dispose();
    }
  }
  return losses;
}

const values = (training: Training) =>
  Object.fromEntries([...training.model.parameters].map(({ name, value }) => [name, [...value.dataSync()]]));

describe('Training', () => {
  it('lowers the loss, moves adapter, head and buffer, and leaves the backbone', () =>
    withTraining({}, async (training) => {
      const before = values(training);
      const losses = await stepAll(training, tinyPlans({ epochs: 20 }));
      assert.ok(losses.at(-1)! < losses[0]! / 2, `${losses[0]} → ${losses.at(-1)}`);
      const after = values(training);
      assert.deepEqual(after.base, before.base);
      for (const name of ['a', 'b', 'head', 'bias', 'center'])
        assert.notDeepEqual(after[name], before[name], name);
    }));

  it('holds as many tensors after each step as after the first', () =>
    withTraining({ average: 0.9 }, async (training) => {
      const counts: number[] = [];
      for (const plan of tinyPlans({ epochs: 3 })) {
        await stepAll(training, [plan]);
        counts.push(memory().numTensors);
      }
      assert.deepEqual(new Set(counts).size, 1, `${counts}`);
    }));

  it('is a function of the seed', async () => {
    const runs: unknown[] = [];
    for (const seed of [1, 1, 2])
      await withTraining({ seed }, async (training) => {
        await stepAll(training);
        runs.push(values(training));
      });
    assert.deepEqual(runs[0], runs[1]);
    assert.notDeepEqual(runs[0], runs[2]);
  });

  it('leaves model and tensors as they were when the forward pass throws', () =>
    withTraining({}, async (training) => {
      const before = [values(training), memory().numTensors];
      const batch = tinyBatch(tinyPlans({})[0]!);
      const { forward } = training.model;
      training.model.forward = (images, pass) => {
        forward(images, undefined);
        assert.ok(pass?.random);
        throw new Error('broken');
      };
      await assert.rejects(training.step(batch), /broken/);
      training.model.forward = forward;
      batch.dispose();
      assert.deepEqual([values(training), memory().numTensors], before);
      assert.equal(training.position, 0);
    }));

  it('requires a scalar loss', () =>
    withTraining({ loss: (logits) => logits as Scalar }, async (training) => {
      const message = /^loss: expected a scalar, got \[.*\]; return its mean$/;
      await assert.rejects(stepAll(training), { name: 'UserError', message });
    }));

  it('refuses a batch that is not the next', () =>
    withTraining({}, async (training) => {
      const plan = tinyPlans({})[1]!;
      await assert.rejects(stepAll(training, [plan]), /expected the batch at position 0, got the one at 1/);
    }));

  it('gives each group its own rate and none to what is frozen', () =>
    withTraining({ learningRate: { adapter: 0.1, head: 0 } }, async (training) => {
      const before = values(training);
      const batch = tinyBatch(tinyPlans({})[0]!);
      const { learningRate } = await training.step(batch);
      batch.dispose();
      assert.deepEqual(learningRate, { adapter: 0.1, head: 0 });
      assert.deepEqual(values(training).head, before.head);
      assert.notDeepEqual(values(training).b, before.b);
    }));

  it('requires a rate for every trainable group', () => {
    const model = tinyModel();
    const make = () =>
      new Training({ model, loss: crossEntropy(), optimizer: sgd(), learningRate: { head: 1 }, seed: 1 });
    assert.throws(make, /learningRate: expected a number from 0 up for the adapter, got undefined/);
    model.dispose();
  });

  it('follows the schedule by the step', () =>
    withTraining(
      { learningRate: 2, schedule: trapezoid(10, { warmup: 0.2, decay: 0.5 }) },
      async (training) => {
        const rates: number[] = [];
        for (const plan of tinyPlans({ epochs: 3 })) {
          const batch = tinyBatch(plan);
          rates.push((await training.step(batch)).learningRate.all!);
          batch.dispose();
        }
        assert.deepEqual(
          rates,
          [0, 1, 2, 2, 2, 2, 1.6, 1.2, 0.8].map((rate) => rates.find((r) => Math.abs(r - rate) < 1e-12)),
        );
      },
    ));

  it('trains the head alone for its frozen steps, then all, each from its own first step of Adam', () =>
    withTraining(
      { frozenSteps: 3, optimizer: adam(), learningRate: 0.01, average: 0.5 },
      async (training) => {
        const moved = async (plans: BatchPlan[]) => {
          const before = values(training);
          await stepAll(training, plans);
          const after = values(training);
          return Object.keys(before).filter((name) => before[name]!.some((x, i) => x !== after[name]![i]));
        };
        const plans = tinyPlans({ epochs: 2 });
        assert.deepEqual(await moved(plans.slice(0, 3)), ['head', 'bias', 'center']);
        const { a } = values(training);
        assert.deepEqual(await moved(plans.slice(3, 4)), ['a', 'b', 'head', 'bias', 'center']);
        // The first step of Adam moves each weight by the rate, m̂/√v̂ being ±1; not by 3.2 times it, as its fourth would.
        for (const [i, before] of a!.entries())
          assert.ok(Math.abs(Math.abs(values(training).a![i]! - before) - 0.01) < 1e-5);
      },
    ));

  it('refuses frozen steps that are not a count, or without a trainable head', () => {
    const model = tinyModel();
    const make = (frozenSteps: number) => () =>
      new Training({
        model,
        loss: crossEntropy(),
        optimizer: sgd(),
        learningRate: 1,
        seed: 1,
        frozenSteps,
      });
    for (const frozenSteps of [-1, 1.5, Number.NaN])
      assert.throws(make(frozenSteps), /frozenSteps: expected an integer from 0 up/);
    for (const parameter of model.parameters) parameter.trainable = parameter.group === 'adapter';
    assert.throws(make(1), /frozenSteps: expected a model with a head to train/);
    model.dispose();
  });

  it('accumulated batches act as one: same weights as the mean of their gradients', async () => {
    const results: unknown[] = [];
    // Without chance: the tiny model's dropout and buffer are left out of this comparison.
    const plain = (training: Training) => {
      const { forward } = training.model;
      training.model.forward = (images: Tensor) => forward(images);
      return training;
    };
    await withTraining({ optimizer: accumulate(2, sgd()), loss: crossEntropy() }, async (training) => {
      const before = values(training);
      const plans = tinyPlans({ count: 4, epochs: 1, batchSize: 2 });
      await stepAll(plain(training), [plans[0]!]);
      assert.deepEqual(values(training), before);
      await stepAll(training, [plans[1]!]);
      results.push(values(training));
    });
    await withTraining({ optimizer: sgd(), loss: crossEntropy() }, async (training) => {
      await stepAll(plain(training), tinyPlans({ count: 4, epochs: 1, batchSize: 4 }));
      results.push(values(training));
    });
    const [two, one] = results as Record<string, number[]>[];
    for (const name of Object.keys(one!))
      one![name]!.forEach((value, i) => {
        assert.ok(Math.abs(value - two![name]![i]!) < 1e-6, `${name}[${i}]: ${value} ${two![name]![i]}`);
      });
  });

  it('lends the averaged weights and puts the trained ones back, also after an error', () =>
    withTraining({ average: 0.5, optimizer: sgd(), learningRate: 0.1 }, async (training) => {
      const start = values(training).head!;
      await stepAll(training, [tinyPlans({})[0]!]);
      const trained = values(training).head!;
      await training.withAverage(async () => {
        values(training).head!.forEach((value, i) => {
          assert.ok(Math.abs(value - (start[i]! + trained[i]!) / 2) < 1e-6);
        });
      });
      await assert.rejects(
        training.withAverage(async () => Promise.reject(new Error('no'))),
        /no/,
      );
      assert.deepEqual(values(training).head, trained);
    }));
});
