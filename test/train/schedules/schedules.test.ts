import assert from 'node:assert/strict';
import '../../../src/tasks/segmentation/metrics/metric.js';
import fc from 'fast-check';
import type { Scores } from '../../../src/events/scores.js';
import { constant } from '../../../src/train/schedules/constant.js';
import { cosine } from '../../../src/train/schedules/cosine.js';
import { plateau } from '../../../src/train/schedules/plateau.js';
import type { Schedule } from '../../../src/train/schedules/schedule.js';
import { trapezoid } from '../../../src/train/schedules/trapezoid.js';

const sample = (schedule: Schedule, steps: number) =>
  Array.from({ length: steps }, (_, step) => schedule(step));

/** Tells a schedule of a validation with this loss. */
export function tell(schedule: Schedule, loss: number): void {
  schedule.observe?.({
    type: 'validation',
    time: 0,
    split: 'validation',
    epoch: 1,
    step: 1,
    scores: { loss } as Scores,
    images: 1,
    seconds: 1,
  });
}

describe('schedules', () => {
  it('trapezoid rises over ⌊5 %⌋, stays, falls over ⌊20 %⌋', () => {
    // 40 steps: 2 rise (0, 1/2), 30 at 1, 8 fall from 1 to 1/8.
    const falling = [8, 7, 6, 5, 4, 3, 2, 1].map((n) => n / 8);
    assert.deepEqual(sample(trapezoid(40), 40), [0, 0.5, ...Array.from({ length: 30 }, () => 1), ...falling]);
  });

  it('cosine rises, is half-way at the middle, and ends at its floor', () => {
    const schedule = cosine(110, { warmup: 0.1, floor: 0.2 });
    assert.ok(Math.abs(schedule(10) - 10 / 11) < 1e-12);
    assert.ok(Math.abs(schedule(5) - 5 / 11) < 1e-12);
    assert.ok(Math.abs(schedule(11) - 1) < 1e-12);
    assert.ok(Math.abs(cosine(100, { warmup: 0, floor: 0.2 })(50) - 0.6) < 1e-12);
    assert.ok(Math.abs(schedule(110) - 0.2) < 1e-12);
  });

  // Golden: transformers 5's get_cosine_schedule_with_warmup(optimizer, 2, 20), one get_last_lr() a step.
  it('cosine is that of transformers', () => {
    const golden = [
      0, 0.5, 1, 0.9924038765061041, 0.9698463103929542, 0.9330127018922194, 0.883022221559489,
      0.8213938048432696, 0.75, 0.6710100716628344, 0.5868240888334653, 0.5, 0.41317591116653485,
      0.32898992833716567, 0.2500000000000001, 0.17860619515673032, 0.11697777844051105, 0.06698729810778065,
      0.03015368960704584, 0.00759612349389599,
    ];
    sample(cosine(20, { warmup: 0.1 }), 20).forEach((factor, step) => {
      assert.ok(Math.abs(factor - golden[step]!) < 1e-15, `${step}: ${factor}`);
    });
  });

  it('are finite and within [0, 1] at every step of every length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (steps, share) => {
          for (const schedule of [
            trapezoid(steps, { warmup: share, decay: share }),
            cosine(steps, { warmup: share }),
            constant(),
          ])
            for (const factor of sample(schedule, steps + 2))
              assert.ok(factor >= 0 && factor <= 1, `${factor}`);
        },
      ),
    );
  });

  it('plateau lowers the rate after more than `patience` validations without improvement', () => {
    const schedule = plateau({ metric: 'loss', patience: 1, factor: 0.5, minDelta: 0.1, floor: 0.3 });
    const factors = [3, 2, 1.95, 1.91, 1.5, 1.5, 1.5, 1.5, 1.5].map((loss) => {
      tell(schedule, loss);
      return schedule(0);
    });
    // 1.95 and 1.91 are not 0.1 better than 2: two in a row are over the patience of one; then the floor.
    assert.deepEqual(factors, [1, 1, 1, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3]);
  });

  it('refuse a length that is not a positive integer', () => {
    assert.throws(() => trapezoid(0), /schedule: expected a count of steps from 1 up, got 0/);
  });
});
