import { z } from 'zod';
import { NumpyRandom } from '../../src/random/numpy-random.js';
import type { Sampler } from '../../src/study/contracts/sampler.js';
import { createStudy } from '../../src/study/create-study.js';
import { GpSampler } from '../../src/study/samplers/gp/gp.js';
import { TpeSampler } from '../../src/study/samplers/tpe/tpe.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';
import { command } from '../command.js';
import { optuna, optunaGp } from '../peers/optuna.js';
import type { Python } from '../peers/python.js';
import { worseByRank } from '../rank-test.js';
import { markdown } from '../report.js';
import { root } from '../root.js';

/** Our seeds and Optuna's never overlap, so the two are independent samples. */
const OUR_SEEDS_FROM = 100_000;

interface Variant {
  readonly title: string;
  readonly ours: (seed: number) => Sampler;
  /** Optuna's class and its options. */
  readonly peer: readonly [name: string, options: object];
  readonly python: () => Promise<Python>;
}

const SAMPLERS = {
  tpe: {
    title: 'TPE',
    ours: (seed) => new TpeSampler({ seed }),
    peer: ['TPESampler', {}],
    python: optuna,
  },
  'tpe-multivariate': {
    title: 'TPE, multivariate',
    ours: (seed) => new TpeSampler({ seed, multivariate: true }),
    peer: ['TPESampler', { multivariate: true }],
    python: optuna,
  },
  gp: { title: 'GP', ours: (seed) => new GpSampler({ seed }), peer: ['GPSampler', {}], python: optunaGp },
} satisfies Record<string, Variant>;

export default command({
  description: 'the best value that a sampler finds, beside Optuna 4.9: medians, quartiles and a rank test',
  flags: {
    Bench: {
      samplers: z
        .string()
        .default('tpe,tpe-multivariate')
        .describe(
          `which, of ${Object.keys(SAMPLERS).join(', ')}; Optuna's gp takes a twentieth of a second a trial`,
        ),
      seeds: z.int().min(8).default(50).describe('studies of each side'),
      trials: z.int().min(1).default(100).describe('trials of each study'),
    },
  },
  run: async ({ samplers, seeds, trials }) => {
    const names = z.array(z.enum(Object.keys(SAMPLERS) as Name[])).parse(samplers.split(','));
    const rows: string[][] = [];
    for (const name of names) {
      const { title, ours, peer, python }: Variant = SAMPLERS[name];
      const script = new URL('bench/peers/optuna_quality.py', root);
      const args = [String(seeds), String(trials), peer[0], JSON.stringify(peer[1])];
      const theirs = await (await python()).json<Record<string, number[]>>(script, args);
      for (const [problem, objective] of Object.entries(PROBLEMS)) {
        const values: number[] = [];
        for (let seed = 0; seed < seeds; seed++)
          values.push(await objective(seed, ours(OUR_SEEDS_FROM + seed), trials));
        const p = worseByRank(values, theirs[problem]!);
        rows.push([title, problem, ...[values, theirs[problem]!].map(spread), p.toFixed(3)]);
        console.error(rows.at(-1)!.join(' | '));
      }
    }
    console.log(markdown(['sampler', 'problem', 'ours', 'Optuna', 'p (ours worse)'], rows));
  },
});

type Name = keyof typeof SAMPLERS;

type Run = (seed: number, sampler: Sampler, trials: number) => Promise<number>;

/** The twins of the functions in peers/optuna_quality.py. */
const PROBLEMS: Readonly<Record<string, Run>> = {
  Branin: bestOf((trial) => {
    const [x, y] = [trial.suggestFloat('x', -5, 10), trial.suggestFloat('y', 0, 15)];
    const a = y - (5.1 * x * x) / (4 * Math.PI ** 2) + (5 * x) / Math.PI - 6;
    return a * a + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
  }),
  'Hartmann-6': bestOf((trial) => {
    const x = Array.from({ length: 6 }, (_, i) => trial.suggestFloat(`x${i}`, 0, 1));
    return -HARTMANN.reduce((sum, { alpha, a, p }) => {
      const distance = x.reduce((total, v, i) => total + a[i]! * (v - p[i]!) ** 2, 0);
      return sum + alpha * Math.exp(-distance);
    }, 0);
  }),
  'mixed, conditional': bestOf((trial) => {
    const kind = trial.suggestCategorical('kind', ['linear', 'tree', 'net']);
    if (kind === 'linear') {
      const penalty = trial.suggestFloat('penalty', 1e-6, 1e2, { log: true });
      return 0.3 + 0.02 * (Math.log10(penalty) + 1) ** 2;
    }
    if (kind === 'tree') {
      const depth = trial.suggestInt('depth', 1, 32);
      const share = trial.suggestFloat('share', 0.1, 1, { step: 0.05 });
      return 0.25 + 0.001 * (depth - 11) ** 2 + 0.1 * (share - 0.6) ** 2;
    }
    const rate = trial.suggestFloat('rate', 1e-5, 1, { log: true });
    const width = trial.suggestInt('width', 8, 1024, { log: true });
    const bonus = { relu: 0.02, tanh: 0.05, gelu: 0 }[
      trial.suggestCategorical('activation', ['relu', 'tanh', 'gelu'])
    ];
    return 0.2 + bonus + 0.03 * (Math.log10(rate) + 2.5) ** 2 + 0.01 * (Math.log2(width) - 7) ** 2;
  }),
  'noisy sphere 3': async (seed, sampler, trials) => {
    const random = NumpyRandom.fromSeed(seed + 1000);
    const study = await createStudy({ sampler });
    const objective = (trial: Trial) => {
      const x = Array.from({ length: 3 }, (_, i) => trial.suggestFloat(`x${i}`, -5, 5));
      const truth = x.reduce((sum, v) => sum + v * v, 0);
      trial.setUserAttr('true', truth);
      return truth + random.uniform(-1, 1);
    };
    await study.optimize(objective, { trials });
    return (await study.bestTrial()).userAttrs['true'] as number;
  },
};

/** Dixon & Szegő 1978. */
const HARTMANN = [
  { alpha: 1, a: [10, 3, 17, 3.5, 1.7, 8], p: [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886] },
  { alpha: 1.2, a: [0.05, 10, 17, 0.1, 8, 14], p: [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991] },
  { alpha: 3, a: [3, 3.5, 1.7, 10, 17, 8], p: [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665] },
  { alpha: 3.2, a: [17, 8, 0.05, 10, 0.1, 14], p: [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381] },
];

function bestOf(objective: (trial: Trial) => number): Run {
  return async (_seed, sampler, trials) => {
    const study: Study = await createStudy({ sampler });
    await study.optimize(objective, { trials });
    return study.bestValue();
  };
}

/** Median and quartiles. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!.toPrecision(4);
  return `${at(0.5)} [${at(0.25)}, ${at(0.75)}]`;
}
