import assert from 'node:assert/strict';
import {
  createStudy,
  type Direction,
  HyperbandPruner,
  MedianPruner,
  NopPruner,
  PatientPruner,
  PercentilePruner,
  type Pruner,
  RandomSampler,
  SuccessiveHalvingPruner,
  ThresholdPruner,
  type Trial,
  WilcoxonPruner,
} from '../../exports/study.js';

interface Subject {
  readonly name: string;
  readonly make: () => Pruner;
  /** Decides by a trial's own values alone. */
  readonly alone?: boolean;
  /** Ends a trial that reports nothing but NaN, beside others. */
  readonly endsNaN?: boolean;
}

const SUBJECTS: readonly Subject[] = [
  { name: 'none', make: () => new NopPruner() },
  { name: 'median', make: () => new MedianPruner({ startupTrials: 2 }), endsNaN: true },
  { name: 'percentile', make: () => new PercentilePruner(25, { startupTrials: 2 }), endsNaN: true },
  { name: 'successive halving', make: () => new SuccessiveHalvingPruner({ minResource: 1 }), endsNaN: true },
  { name: 'successive halving, auto', make: () => new SuccessiveHalvingPruner(), endsNaN: true },
  { name: 'Hyperband', make: () => new HyperbandPruner({ maxResource: 9 }) },
  { name: 'Hyperband, auto', make: () => new HyperbandPruner() },
  { name: 'Hyperband, later than any trial', make: () => new HyperbandPruner({ minResource: 50 }) },
  { name: 'Wilcoxon', make: () => new WilcoxonPruner() },
  { name: 'patient', make: () => new PatientPruner(null, 1), alone: true },
  { name: 'patient median', make: () => new PatientPruner(new MedianPruner({ startupTrials: 2 }), 1) },
  {
    name: 'threshold',
    make: () => new ThresholdPruner({ lower: -1e3, upper: 1e3 }),
    alone: true,
    endsNaN: true,
  },
];

/** Reports value after value until the pruner ends the trial; how many it took, and whether it ended. */
async function report(trial: Trial, values: readonly number[], steps = [...values.keys()]) {
  for (const [i, value] of values.entries()) {
    await trial.report(value, steps[i]!);
    if (await trial.shouldPrune()) return { reports: i + 1, pruned: true };
  }
  return { reports: values.length, pruned: false };
}

for (const { name, make, alone, endsNaN } of SUBJECTS)
  describe(`pruner contract: ${name}`, () => {
    const begin = (direction: Direction = 'minimize') =>
      createStudy({
        studyName: 's',
        direction,
        pruner: make(),
        sampler: new RandomSampler({ seed: 1 }),
        warn: () => {},
      });
    const study = async (direction?: Direction) => {
      const begun = await begin(direction);
      const sign = direction === 'maximize' ? -1 : 1;
      // Six trials of nine steps each, 1 to 6 high.
      for (let height = 1; height <= 6; height++) {
        const trial = await begun.ask();
        for (let step = 0; step < 9; step++) {
          await trial.report(sign * height, step);
          // Halvings note what they see when they are asked.
          await trial.shouldPrune();
        }
        await begun.tell(trial, sign * height);
      }
      return begun;
    };

    it('prunes nothing that has not reported', async () => {
      for (const each of [await begin(), await study()])
        assert.equal(await (await each.ask()).shouldPrune(), false);
    });

    it('prunes nothing without a trial to compare with', async () => {
      const first = await (await begin()).ask();
      assert.deepEqual(await report(first, [1, 1, 1]), { reports: 3, pruned: false });
    });

    it('never prunes the best, in either direction, to its last step and beyond', async () => {
      for (const [direction, value] of [
        ['minimize', -1],
        ['maximize', 1],
      ] as const) {
        const trial = await (await study(direction)).ask();
        assert.deepEqual(
          await report(
            trial,
            Array.from({ length: 12 }, () => value),
          ),
          { reports: 12, pruned: false },
        );
      }
    });

    it('accepts steps in any order: late, reversed, far apart, only one', async () => {
      for (const steps of [[5, 3, 1], [2 ** 40], [0, 8, 1000], [100, 99]]) {
        const trial = await (await study()).ask();
        const { reports } = await report(
          trial,
          steps.map(() => 0.5),
          steps,
        );
        assert.ok(reports >= 1);
        assert.equal(trial.record.intermediateValues.size, reports);
      }
    });

    it(`${endsNaN ? 'ends' : 'goes on with'} a trial that reports nothing but NaN`, async () => {
      const trial = await (await study()).ask();
      const { pruned } = await report(
        trial,
        Array.from({ length: 9 }, () => Number.NaN),
      );
      assert.equal(pruned, endsNaN ?? (name.startsWith('Hyperband') && !name.includes('later')));
    });

    it('decides beside NaN, infinities, failed trials and trials without a report', async () => {
      const begun = await study();
      for (const value of [Number.NaN, Infinity, -Infinity]) {
        const odd = await begun.ask();
        for (let step = 0; step < 9; step++) await odd.report(value, step);
        await begun.tell(
          odd,
          Number.isNaN(value) ? null : value,
          Number.isNaN(value) ? { state: 'FAIL' } : {},
        );
      }
      await begun.tell(await begun.ask(), 0);
      const trial = await begun.ask();
      assert.equal(typeof (await report(trial, [3, Infinity, Number.NaN, -3])).pruned, 'boolean');
    });

    it('handles thousands of steps at little cost', async () => {
      const trial = await (await study()).ask();
      const steps = Array.from({ length: 3000 }, (_, step) => step);
      for (const step of steps) await trial.report(0.1, step);
      assert.equal(await trial.shouldPrune(), false);
    });

    it('refuses several objectives', async () => {
      const two = await createStudy({ directions: ['minimize', 'minimize'], pruner: make() });
      await assert.rejects(
        (await two.ask()).shouldPrune(),
        /pruning: expected a study of one objective, got 2/,
      );
    });

    if (!alone && name !== 'none' && !name.includes('later'))
      it('eventually prunes a trial that is worse than all before it', async () => {
        // Hyperband's most patient bracket waits for the last step, so some of several trials are ended.
        let ended = 0;
        for (const direction of ['minimize', 'maximize'] as const) {
          const begun = await study(direction);
          for (let i = 0; i < 8; i++) {
            const worse = Array.from(
              { length: 9 },
              (_, step) => (direction === 'maximize' ? -1 : 1) * (50 + step),
            );
            const trial = await begun.ask();
            const { pruned } = await report(trial, worse);
            if (pruned) ended++;
            await begun.tell(trial, null, { state: pruned ? 'PRUNED' : 'FAIL' });
          }
        }
        assert.ok(ended >= 8, `${ended} of 16`);
      });
  });
