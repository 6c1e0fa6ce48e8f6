import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory, mul, type Scalar, setBackend } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { lastValueFrom, of, toArray } from 'rxjs';
import { guard } from '../../operators/guard.js';
import type { EpochEvent, StepEvent } from '../../src/events/event.js';
import { withoutClocks } from '../../src/loggers/logger.js';
import type { Loss } from '../../src/model/loss.js';
import { logCoshDice } from '../../src/tasks/segmentation/losses/log-cosh-dice.js';
import { type CheckpointStore, checkpointStore } from '../../src/train/checkpoint-store.js';
import { lossScalingOf, nextLossScale } from '../../src/train/loss-scale.js';
import { accumulate } from '../../src/train/optimizers/accumulate.js';
import { adamW } from '../../src/train/optimizers/adam.js';
import { stateTensors } from '../../src/train/optimizers/state-tree.js';
import { pastOf } from '../../src/train/past.js';
import { need, start } from '../engine/tested-engines.js';
import { free, type TinyRun, tinyBatch, tinyPairs, tinyRun } from './tiny.js';

/** A loss whose gradients overflow at the batches of these positions: by default in f32, too. */
function overflowing(positions: readonly number[], size = Number.NaN, position = 0): Loss {
  const dice = logCoshDice();
  return (logits, masks): Scalar => {
    const loss = dice(logits, masks);
    return positions.includes(position++) ? mul(loss, size) : loss;
  };
}

/** Trains the tiny model on some batches, and returns the events. */
async function train(run: TinyRun, count: number): Promise<(StepEvent | EpochEvent)[]> {
  const events: (StepEvent | EpochEvent)[] = [];
  const plans = run.plans(tinyPairs(5))[Symbol.iterator]();
  for (let i = 0; i < count; i++) {
    const batch = tinyBatch(plans.next().value!);
    events.push(...((await run.step(batch)) as (StepEvent | EpochEvent)[]));
    batch.dispose();
  }
  return events;
}

const stepsOf = (events: readonly (StepEvent | EpochEvent)[]) =>
  events.filter((event): event is StepEvent => event.type === 'step');

const numbersOf = (run: TinyRun) => [
  ...[...run.model.parameters].map(({ name, value }) => [name, [...value.dataSync()]]),
  ...[...stateTensors(run.training.state)].map(([name, value]) => [name, [...value.dataSync()]]),
];

/** The scale of each of eight steps with a growth interval of 2, and whether it was skipped: those at 1 and 4 overflow. */
const SCALES = [
  [65_536, false],
  [65_536, true],
  [32_768, false],
  [32_768, false],
  [65_536, true],
  [32_768, false],
  [32_768, false],
  [65_536, false],
];

/** torch.amp.GradScaler's rule, from its documentation: a scale after a sequence of steps. */
function reference(finite: readonly boolean[], interval: number): number {
  let scale = 65_536;
  let run = 0;
  for (const good of finite) {
    run = good ? run + 1 : 0;
    if (!good) scale /= 2;
    if (run > 0 && run % interval === 0) scale *= 2;
  }
  return scale;
}

describe('the loss scale', () => {
  it('follows the rule of GradScaler', () => {
    const steps = fc.array(fc.boolean(), { maxLength: 14 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (finite, interval) => {
        let state = { scale: 65_536, good: 0 };
        for (const good of finite) state = nextLossScale(state, good, interval);
        assert.equal(state.scale, reference(finite, interval));
      }),
    );
  });

  it('stays within f32, and says when it cannot help', () => {
    assert.equal(nextLossScale({ scale: 2 ** 127, good: 0 }, true, 1).scale, 2 ** 127);
    assert.throws(
      () => nextLossScale({ scale: 1, good: 3 }, false, 2000),
      /^UserError: the loss scale fell to 1 and the gradients are still not finite: .*--precision bf16 or f32/,
    );
  });

  it('is none in f32 unless asked for, and checked', () => {
    assert.equal(lossScalingOf(undefined), undefined);
    assert.deepEqual(lossScalingOf({}), { initial: 65_536, growthInterval: 2000 });
    assert.throws(() => lossScalingOf({ initial: 0.5 }), /expected an initial scale from 1 up, got 0.5/);
    assert.throws(() => lossScalingOf({ growthInterval: 0 }), /expected a growthInterval from 1 up, got 0/);
  });
});

describe('training with a loss scale', () => {
  it('is the training without, where powers of two change no number', async () => {
    const runs = [tinyRun(), tinyRun({ lossScale: { initial: 2 ** 10, growthInterval: 2 } })];
    const [plain, scaled] = [await train(runs[0]!, 4), await train(runs[1]!, 4)];
    assert.deepEqual(
      stepsOf(scaled).map(({ loss, gradientNorm }) => [loss, gradientNorm]),
      stepsOf(plain).map(({ loss, gradientNorm }) => [loss, gradientNorm]),
    );
    assert.deepEqual(
      stepsOf(scaled).map(({ lossScale }) => lossScale),
      [1024, 1024, 2048, 2048],
    );
    assert.equal(stepsOf(plain)[0]!.lossScale, undefined);
    assert.deepEqual(numbersOf(runs[1]!), numbersOf(runs[0]!));
    for (const run of runs) free(run);
  });

  it('skips a step that overflows: weights, optimiser and average stay, the scale halves, the epoch counts it', async () => {
    const run = tinyRun({ lossScale: {}, average: 0.9, loss: overflowing([1]) });
    const first = await train(run, 1);
    const before = [memory().numTensors, ...numbersOf(run).filter(([name]) => name !== 'center')];
    const second = await train(run, 1);
    assert.deepEqual([memory().numTensors, ...numbersOf(run).filter(([name]) => name !== 'center')], before);
    const third = await train(run, 1);
    const steps = stepsOf([...first, ...second, ...third]);
    assert.deepEqual(
      steps.map(({ lossScale, skipped }) => [lossScale, skipped]),
      [
        [65_536, undefined],
        [65_536, true],
        [32_768, undefined],
      ],
    );
    assert.equal((third.at(-1) as EpochEvent).skipped, 1);
    assert.equal(run.sums.skipped, 0);
    free(run);
  });

  it('a skipped step joins no sum of accumulated gradients', async () => {
    const run = tinyRun({ lossScale: {}, optimizer: accumulate(2, adamW()), loss: overflowing([1]) });
    await train(run, 1);
    const head = [...run.model.parameters.get('head').dataSync()];
    await train(run, 1);
    assert.deepEqual([...run.model.parameters.get('head').dataSync()], head);
    await train(run, 1);
    assert.notDeepEqual([...run.model.parameters.get('head').dataSync()], head);
    assert.ok(numbersOf(run).every(([, values]) => (values as number[]).every(Number.isFinite)));
    free(run);
  });

  it('resumes in f32 without its scale', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    try {
      const store = checkpointStore(dir);
      const begun = tinyRun({ store, lossScale: {} });
      await train(begun, 2);
      await begun.save(1);
      const plain = tinyRun({ store });
      await plain.open({ resume: true });
      assert.deepEqual([plain.position, plain.training.state.lossScale], [2, undefined]);
      for (const run of [begun, plain]) free(run);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('is part of the past of a run', () => {
    const runs = [undefined, {}, { growthInterval: 5 }].map((lossScale) =>
      tinyRun(lossScale ? { lossScale } : {}),
    );
    for (const run of runs) run.plans(tinyPairs(5));
    const pasts = runs.map((run) => pastOf(run, 'tiny').at(-1));
    assert.equal(new Set(pasts).size, 3);
    for (const run of runs) free(run);
  });

  it('the guard lets a skipped step pass, unless its loss is not finite', async () => {
    const step = { type: 'step', step: 3, epoch: 1, loss: 0.5, gradientNorm: Number.POSITIVE_INFINITY };
    const judged = (more: object) =>
      lastValueFrom(of({ ...step, ...more } as StepEvent).pipe(guard({ memory: {} }), toArray()));
    assert.equal((await judged({ skipped: true })).length, 1);
    assert.equal((await judged({})).at(-1)!.type, 'done');
    assert.equal((await judged({ skipped: true, loss: Number.NaN })).at(-1)!.type, 'done');
  });
});

for (const engine of ['cpu', 'torch'] as const)
  describe(`a run with a loss scale, stopped and resumed on the ${engine} engine`, () => {
    if (engine === 'torch') {
      before(need(engine));
      beforeEach(() => start(engine, { precision: 'f16', threads: 1 }));
      after(() => setBackend('cpu'));
    }
    // In f16 the loss is finite and its scaled gradients are not, as in a training.
    const overflow = engine === 'torch' ? 1e5 : Number.NaN;
    const begin = (store?: CheckpointStore, position = 0) =>
      tinyRun({
        lossScale: { growthInterval: 2 },
        loss: overflowing([1, 4], overflow, position),
        average: 0.9,
        ...(store && { store }),
      });
    const STEPS = 8;

    for (let stop = 1; stop < STEPS; stop++)
      it(`is the run without the stop, bit for bit: after ${stop} of ${STEPS} steps`, async () => {
        const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
        try {
          const whole = begin();
          const events = await train(whole, STEPS);
          const scales = stepsOf(events).map(({ lossScale, skipped }) => [lossScale, skipped === true]);
          assert.deepEqual(scales, SCALES);

          const store = checkpointStore(dir);
          const stopped = begin(store);
          const before = await train(stopped, stop);
          await stopped.save(1);
          free(stopped);
          const resumed = begin(store, stop);
          await resumed.open({ resume: true });
          const after = await train(resumed, STEPS - stop);

          assert.deepEqual([...before, ...after].map(withoutClocks), events.map(withoutClocks));
          assert.deepEqual(numbersOf(resumed), numbersOf(whole));
          assert.deepEqual(resumed.training.state.lossScale, whole.training.state.lossScale);
          for (const run of [whole, resumed]) free(run);
        } finally {
          rmSync(dir, { recursive: true });
        }
      });
  });
