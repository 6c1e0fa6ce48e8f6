import assert from 'node:assert/strict';
import {
  BruteForceSampler,
  CmaEsSampler,
  contains,
  type FrozenTrial,
  GpSampler,
  GridSampler,
  Nsga2Sampler,
  PartialFixedSampler,
  QmcSampler,
  RandomSampler,
  type Sampler,
  TpeSampler,
  type Trial,
} from '../../exports/study.js';

interface Subject {
  readonly name: string;
  readonly make: (seed: number) => Sampler;
  /** Only spaces with an end, and their studies stop by themselves. */
  readonly exhaustive?: boolean;
  readonly oneObjective?: boolean;
  /** How many trials show what it does; 40 unless given. */
  readonly trials?: number;
}

export const SUBJECTS: readonly Subject[] = [
  { name: 'random', make: (seed) => new RandomSampler({ seed }) },
  { name: 'TPE', make: (seed) => new TpeSampler({ seed, startupTrials: 5 }) },
  {
    name: 'TPE, multivariate',
    make: (seed) => new TpeSampler({ seed, startupTrials: 5, multivariate: true }),
  },
  {
    name: 'TPE, group, constant liar',
    make: (seed) =>
      new TpeSampler({ seed, startupTrials: 5, multivariate: true, group: true, constantLiar: true }),
  },
  {
    name: 'TPE of Optuna 5',
    make: (seed) => new TpeSampler({ seed, startupTrials: 5, defaults: 'optuna5' }),
  },
  { name: 'QMC', make: (seed) => new QmcSampler({ seed }) },
  { name: 'CMA-ES', make: (seed) => new CmaEsSampler({ seed }), oneObjective: true },
  // A proposal costs tens of milliseconds, and a test nothing that the machine's load decides.
  {
    name: 'GP',
    make: (seed) => new GpSampler({ seed, startupTrials: 5 }),
    oneObjective: true,
    trials: 13,
  },
  { name: 'NSGA-II', make: (seed) => new Nsga2Sampler({ seed, populationSize: 10 }) },
  {
    name: 'partially fixed',
    make: (seed) => new PartialFixedSampler({ bias: true }, new TpeSampler({ seed, startupTrials: 5 })),
  },
  { name: 'brute force', make: (seed) => new BruteForceSampler({ seed }), exhaustive: true },
  {
    name: 'grid',
    make: (seed) =>
      new GridSampler({ kind: ['a', 'b', 'c'], size: [8, 16, 32, 64], bias: [true, false] }, { seed }),
    exhaustive: true,
  },
];

/** A space with an end. */
export function finite(trial: Trial): number {
  const kind = trial.suggestCategorical('kind', ['a', 'b', 'c']);
  const size = trial.suggestInt('size', 8, 64, { step: 8 });
  return size + (kind === 'a' ? 1 : 0) + (trial.suggestCategorical('bias', [true, false]) ? 0.5 : 0);
}

/** All kinds of parameters, some of which depend on others. */
export function mixed(trial: Trial): number {
  const x = trial.suggestFloat('x', -5, 3);
  const rate = trial.suggestFloat('rate', 1e-6, 1e-1, { log: true });
  const share = trial.suggestFloat('share', 0.1, 0.95, { step: 0.05 });
  const width = trial.suggestInt('width', 1, 1000, { log: true });
  const fixed = trial.suggestFloat('fixed', 2, 2) + trial.suggestCategorical('only', [7]);
  return (
    x * x +
    Math.log(rate) ** 2 +
    share +
    width / 1000 +
    fixed +
    (width > 30 ? finite(trial) : trial.suggestInt('depth', 0, 3))
  );
}

export function inBounds({ number, distributions, internalParams }: FrozenTrial): void {
  for (const [param, distribution] of Object.entries(distributions))
    assert.ok(
      contains(distribution, internalParams[param]!),
      `trial ${number}: ${param} = ${internalParams[param]} is outside ${JSON.stringify(distribution)}`,
    );
}
