import assert from 'node:assert/strict';
import {
  createStudy,
  type Direction,
  type FrozenTrial,
  HyperbandPruner,
  NopPruner,
  type Study,
  type Trial,
  TrialPruned,
} from '../../exports/study.js';
import { collectGarbage } from '../collect-garbage.js';
import { finite, inBounds, mixed, SUBJECTS } from './sampler-subjects.js';

/** In the order of their numbers, without what belongs to the moment. */
const remembered = async (study: Study) =>
  (await study.trials()).map(({ params, values, state }) => ({ params, values, state }));

for (const { name, make, exhaustive, oneObjective, trials: enough = 40 } of SUBJECTS) {
  const objective = exhaustive ? finite : mixed;
  const trials = exhaustive ? 24 : enough;

  describe(`sampler contract: ${name}`, () => {
    it('suggests what the distribution contains, in spaces that depend on their own values', async () => {
      const study = await createStudy({ sampler: make(1), pruner: new NopPruner() });
      await study.optimize(objective, { trials });
      for (const trial of await study.trials()) inBounds(trial);
    });

    it('repeats its suggestions with a seed, and only then', async () => {
      const run = async (seed: number) => {
        const study = await createStudy({ sampler: make(seed), studyName: 's' });
        await study.optimize(objective, { trials });
        return remembered(study);
      };
      const [first, again, other] = [await run(1), await run(1), await run(2)];
      assert.deepEqual(again, first);
      assert.notDeepEqual(other, first);
    });

    it('works beside running, pruned and failed trials', async () => {
      const study = await createStudy({ sampler: make(3), pruner: new NopPruner() });
      const open: Trial[] = [];
      for (let i = 0; i < trials; i++) {
        const trial = await study.ask();
        const value = objective(trial);
        if (i % 8 === 1) open.push(trial);
        else if (i % 8 === 3) {
          await trial.report(value, 1);
          await study.tell(trial, null, { state: 'PRUNED' });
        } else if (i % 8 === 5) await study.tell(trial, null, { state: 'FAIL' });
        else await study.tell(trial, i % 8 === 7 ? Number.POSITIVE_INFINITY : value);
      }
      for (const trial of open) await study.tell(trial, 1);
      const all = await study.trials();
      assert.equal(all.length, trials);
      all.forEach(inBounds);
    });

    it('proposes several at a time, and from what a pruner shows of the study', async () => {
      const pruner = new HyperbandPruner({ maxResource: 9, reductionFactor: 3 });
      const study = await createStudy({ sampler: make(4), pruner });
      await study.optimize(
        async (trial) => {
          const value = objective(trial);
          for (let step = 1; step <= 9; step++) {
            await trial.report(value / step, step);
            if (await trial.shouldPrune()) throw new TrialPruned();
          }
          return value;
        },
        { trials, concurrency: 3 },
      );
      const all = await study.trials();
      assert.ok(all.length >= (exhaustive ? 10 : trials));
      all.forEach(inBounds);
    });

    if (oneObjective)
      it('refuses several objectives', async () => {
        const study = await createStudy({ sampler: make(5), directions: ['minimize', 'maximize'] });
        await assert.rejects(
          study.optimize((trial) => [objective(trial), 1], { trials: 3 }),
          /one objective/,
        );
      });
    else
      it('pursues several objectives', async () => {
        const directions: Direction[] = ['minimize', 'maximize'];
        const study = await createStudy({ sampler: make(5), directions });
        await study.optimize((trial) => [objective(trial), -Number(trial.number % 5)], { trials });
        assert.ok((await study.bestTrials()).length > 0);
        (await study.trials()).forEach(inBounds);
      });

    it('serves two studies at once without mixing them up', async () => {
      const sampler = make(6);
      const [one, two] = [await createStudy({ sampler }), await createStudy({ sampler })];
      const other = (trial: Trial) =>
        exhaustive ? finite(trial) : trial.suggestFloat('x', 100, 200) + trial.suggestInt('width', 5, 6);
      for (let i = 0; i < 12; i++) {
        for (const [study, f] of [
          [one, objective],
          [two, other],
        ] as const) {
          const trial = await study.ask();
          await study.tell(trial, f(trial));
        }
      }
      for (const study of [one, two]) (await study.trials()).forEach(inBounds);
    });

    it('releases a study that is collected', async () => {
      const sampler = make(7);
      const ghost = await (async () => {
        const study = await createStudy({ sampler });
        await study.optimize(objective, { trials: 12 });
        return new WeakRef(study.cache);
      })();
      for (let i = 0; i < 5 && ghost.deref(); i++) {
        await new Promise((done) => setTimeout(done, 1));
        collectGarbage();
      }
      assert.equal(ghost.deref(), undefined);
      sampler.inferRelativeSearchSpace((await createStudy({ sampler })).cache, {} as FrozenTrial);
    });
  });
}
