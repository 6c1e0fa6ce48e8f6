import { createStudy } from '../../src/study/create-study.js';
import { NopPruner } from '../../src/study/pruners/nop.js';
import { RandomSampler } from '../../src/study/samplers/random.js';
import { TrialPruned } from '../../src/study/trial-pruned.js';

/** Stores a study `hills` of 14 trials: twelve COMPLETE, of which the first names its run, one FAIL, one PRUNED. */
export async function sampleStudy(storage: string, run: string): Promise<void> {
  const study = await createStudy({
    storage,
    studyName: 'hills',
    direction: 'maximize',
    sampler: new RandomSampler({ seed: 1 }),
    pruner: new NopPruner(),
  });
  await study.optimize(
    (trial) => {
      const x = trial.suggestFloat('x', 1e-4, 1, { log: true });
      const kind = trial.suggestCategorical('kind', ['a', 'b']);
      for (let step = 1; step <= 3; step++) trial.report(x * step, step);
      if (trial.number === 0) trial.setUserAttr('run', run);
      if (trial.number === 12) throw new Error('out of memory');
      if (trial.number === 13) throw new TrialPruned();
      return x + (kind === 'a' ? 0.1 : 0);
    },
    { trials: 14, catches: () => true },
  );
  await study.close();
}
