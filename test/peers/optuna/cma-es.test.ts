import assert from 'node:assert/strict';
import { type Python } from '../../../bench/peers/python.js';
import { CmaEsSampler, createStudy, type Distribution, type ParamValue } from '../../../exports/study.js';
import type { CmaEsOptions } from '../../../src/study/samplers/cma-es/cma-es.js';
import type { Direction } from '../../../src/study/trials/frozen-trial.js';
import {
  categoricalDistribution,
  floatDistribution,
  intDistribution,
} from '../../../src/study/trials/make-distribution.js';
import { needsPython } from '../python.js';

/** A study from its first trial to its last. */
interface Case {
  readonly name: string;
  readonly space: Readonly<Record<string, Distribution>>;
  readonly options?: CmaEsOptions;
  readonly direction?: Direction;
  readonly failed?: readonly number[];
  readonly pruned?: readonly number[];
  /** 150 by default. */
  readonly trials?: number;
}

const floats = (n: number) =>
  Object.fromEntries(Array.from({ length: n }, (_, i) => [`x${i}`, floatDistribution(-5.12, 5.12)]));

const cases: readonly Case[] = [
  ...[1, 2, 3, 5, 7, 11].map((n) => ({ name: `${n} dimensions`, space: floats(n), options: { seed: n } })),
  { name: '10 dimensions, 800 trials', space: floats(10), options: { seed: 0 }, trials: 800 },
  {
    name: 'integers, steps, logarithms and a choice',
    space: {
      rate: floatDistribution(1e-5, 1e-1, { log: true }),
      layers: intDistribution(1, 12),
      width: intDistribution(1, 1024, { log: true }),
      kind: categoricalDistribution(['a', 'b']),
      drop: floatDistribution(0, 0.5, { step: 0.05 }),
    },
    options: { seed: 3 },
  },
  {
    name: 'maximize, from x0 with a small step and many points',
    space: floats(3),
    direction: 'maximize',
    options: { seed: 4, x0: { x0: 1, x1: 2, x2: -5 }, sigma0: 0.05, populationSize: 16 },
  },
  { name: 'ten startup trials', space: floats(4), options: { seed: 5, startupTrials: 10 } },
  { name: 'failed trials', space: floats(3), options: { seed: 6 }, failed: [0, 2, 5, 8, 9, 10, 30, 77] },
  { name: 'pruned trials', space: floats(3), options: { seed: 7 }, pruned: [0, 3, 4, 8, 20, 21, 22] },
  {
    name: 'pruned trials that count',
    space: floats(3),
    options: { seed: 8, considerPruned: true },
    pruned: [1, 3, 4, 8, 20, 21, 22],
  },
];

/** A bowl with an axis for each numeric parameter. */
function bowlOf(space: Case['space']): Record<string, [weight: number, centre: number]> {
  const axes = Object.entries(space).flatMap(([name, distribution], i) =>
    distribution.name === 'CategoricalDistribution'
      ? []
      : [[name, [1 + i / 2, distribution.low + 0.3 * (distribution.high - distribution.low)]]],
  );
  return Object.fromEntries(axes);
}

async function ours(each: Case): Promise<Record<string, ParamValue>[]> {
  const study = await createStudy({
    direction: each.direction ?? 'minimize',
    sampler: new CmaEsSampler(each.options),
  });
  const bowl = Object.entries(bowlOf(each.space));
  for (let number = 0; number < (each.trials ?? 150); number++) {
    const trial = await study.ask();
    for (const [name, distribution] of Object.entries(each.space)) trial.suggest(name, distribution);
    const value = bowl.reduce((sum, [name, [w, c]]) => sum + w * (Number(trial.params[name]) - c) ** 2, 0);
    if (each.failed?.includes(number)) await study.tell(trial, null, { state: 'FAIL' });
    else if (each.pruned?.includes(number)) {
      await trial.report(value, 0);
      await study.tell(trial, null, { state: 'PRUNED' });
    } else await study.tell(trial, value);
  }
  return (await study.trials()).map(({ params }) => params);
}

const optunas = ({ seed, x0, sigma0, startupTrials, populationSize, considerPruned }: CmaEsOptions) => ({
  seed,
  x0,
  sigma0,
  n_startup_trials: startupTrials,
  popsize: populationSize,
  consider_pruned_trials: considerPruned,
});

describe('CMA-ES beside Optuna 4.9.0', function () {
  let python: Python;
  let theirs: Record<string, ParamValue>[][];
  before(async function () {
    python = await needsPython(this, 'optuna-4.9.0-cmaes', [
      'optuna==4.9.0',
      'cmaes==0.13.1',
      'numpy==2.4.6',
    ]);
    const asked = cases.map(
      ({ space, options = {}, direction = 'minimize', failed = [], pruned = [], trials = 150 }) => ({
        space,
        options: optunas(options),
        direction,
        failed,
        pruned,
        trials,
        bowl: bowlOf(space),
      }),
    );
    theirs = await python.json(new URL('cma_es_twin.py', import.meta.url), [], asked);
  });

  for (const [i, each] of cases.entries())
    it(`proposes the same: ${each.name}`, async () => {
      const proposed = await ours(each);
      // Before it trials are drawn independently, from other streams than Optuna's.
      const first = each.options?.startupTrials ?? 2;
      let worst = 0;
      for (let number = first; number < proposed.length; number++)
        for (const [name, distribution] of Object.entries(each.space)) {
          if (distribution.name === 'CategoricalDistribution') continue;
          const [a, b] = [Number(proposed[number]![name]), Number(theirs[i]![number]![name])];
          worst = Math.max(worst, Math.abs(a - b) / (distribution.high - distribution.low));
        }
      console.log(`      ${worst.toExponential(1)} of a range apart at most`);
      assert.ok(worst < 1e-6);
    });
});
