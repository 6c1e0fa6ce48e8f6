import assert from 'node:assert/strict';
import type { Pruner } from '../../src/study/contracts/pruner.js';
import type { Sampler } from '../../src/study/contracts/sampler.js';
import { createStudy } from '../../src/study/create-study.js';
import { HyperbandPruner } from '../../src/study/pruners/hyperband.js';
import { PatientPruner } from '../../src/study/pruners/patient.js';
import { WilcoxonPruner } from '../../src/study/pruners/wilcoxon.js';
import { GridSampler } from '../../src/study/samplers/grid.js';
import { PartialFixedSampler } from '../../src/study/samplers/partial-fixed.js';
import { RandomSampler } from '../../src/study/samplers/random.js';

/** A study, and what it warns of. */
async function warned(options: { readonly sampler?: Sampler; readonly pruner?: Pruner }) {
  const warnings: string[] = [];
  const warn = (code: string, message: string) => warnings.push(`${code}: ${message}`);
  return {
    study: await createStudy({ sampler: new RandomSampler({ seed: 1 }), ...options, warn }),
    warnings,
  };
}

// Where Optuna 4.9 warns, too: GridSampler.sample_independent, Trial._check_distribution, WilcoxonPruner.prune.
describe('warnings of samplers, pruners and trials', () => {
  it('say that a value of a grid is outside the range asked for, and use it', async () => {
    const { study, warnings } = await warned({ sampler: new GridSampler({ x: [0.5, 7] }) });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1));
    assert.deepEqual((await study.trials()).map(({ values }) => values![0]).sort(), [0.5, 7]);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0]!,
      /^grid-value: trial \d: the grid's "x" is 7, outside its range, \[0, 1\]; it is used/,
    );
  });

  it('say the same of a fixed value, through the study', async () => {
    const sampler = new PartialFixedSampler({ x: 7 }, new RandomSampler());
    const { study, warnings } = await warned({ sampler, pruner: new HyperbandPruner({ maxResource: 9 }) });
    assert.equal((await study.ask()).suggestFloat('x', 0, 1), 7);
    assert.deepEqual(warnings, ['fixed-param: trial 0: "x" is fixed at 7, outside its range']);
  });

  it('say that a second range of one name is ignored within a trial', async () => {
    const { study, warnings } = await warned({});
    const trial = await study.ask();
    const x = trial.suggestFloat('x', 0, 1);
    assert.equal(trial.suggestFloat('x', 0, 1), x);
    assert.deepEqual(warnings, []);
    assert.equal(trial.suggestFloat('x', 5, 6), x);
    assert.equal(trial.suggestInt('n', 1, 1), trial.suggestInt('n', 1, 8, { step: 7 }));
    assert.deepEqual(warnings, [
      'second-range: trial 0: "x" keeps the value from its first range, [0, 1]; the second, [5, 6], is ignored',
      'second-range: trial 0: "n" keeps the value from its first range, [1, 1]; the second, [1, 8], step 7, is ignored',
    ]);
  });

  const wilcoxon = async (best: readonly number[] | null, own: readonly (readonly [number, number])[]) => {
    // The warning reaches the study by way of a pruner around it, too.
    const { study, warnings } = await warned({ pruner: new PatientPruner(new WilcoxonPruner(), 0) });
    if (best) {
      const trial = await study.ask();
      for (const [step, value] of best.entries()) await trial.report(value, step);
      await study.tell(trial, 0);
    }
    const trial = await study.ask();
    for (const [step, value] of own) {
      await trial.report(value, step);
      await trial.shouldPrune();
    }
    return warnings;
  };

  it('say once in a study why Wilcoxon compares nothing', async () => {
    const worse = [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ] as const;
    assert.deepEqual(await wilcoxon(null, worse), []);
    assert.deepEqual(await wilcoxon([0, 0, 0, 0], worse), []);
    assert.deepEqual(
      await wilcoxon(
        [0, 0, 0, 0],
        [
          [0, 1],
          [1, Infinity],
          [2, Infinity],
        ],
      ),
      ['wilcoxon: trial 1 has reported NaN or infinity, and is not pruned'],
    );
    assert.deepEqual(await wilcoxon([], worse), [
      'wilcoxon: the best trial, 0, has reported nothing to compare with: no trial is pruned',
    ]);
    assert.deepEqual(await wilcoxon([0, Number.NaN], worse), [
      'wilcoxon: the best trial, 0, has reported NaN or infinity: no trial is pruned',
    ]);
    assert.deepEqual(await wilcoxon([0, 0], worse), [
      'wilcoxon: trial 1 has reported steps that the best trial, 0, lacks: they are not compared',
    ]);
  });
});
