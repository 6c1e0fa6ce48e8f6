import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { hypervolume } from '../../src/numeric/hypervolume.js';
import type { Sampler } from '../../src/study/contracts/sampler.js';
import { createStudy } from '../../src/study/create-study.js';
import { CmaEsSampler } from '../../src/study/samplers/cma-es/cma-es.js';
import { Nsga2Sampler } from '../../src/study/samplers/nsga2/nsga2.js';
import type { Study } from '../../src/study/study.js';
import { command } from '../command.js';
import { worseByRank } from '../rank-test.js';

interface Problem {
  readonly name: string;
  readonly f: (x: readonly number[]) => number[];
  readonly dimensions: number;
  readonly low: number;
  readonly high: number;
  readonly trials: number;
}

const sphere = (x: readonly number[]) => [x.reduce((sum, v) => sum + v * v, 0)];
const rosenbrock = (x: readonly number[]) => [
  x.slice(1).reduce((sum, b, i) => sum + 100 * (b - x[i]! ** 2) ** 2 + (1 - x[i]!) ** 2, 0),
];

const CMA_ES: readonly Problem[] = [
  { name: 'sphere', f: sphere, low: -5.12, high: 5.12 },
  { name: 'rosenbrock', f: rosenbrock, low: -5, high: 10 },
].flatMap(({ name, ...problem }) =>
  [
    { dimensions: 2, trials: 200 },
    { dimensions: 5, trials: 400 },
    { dimensions: 10, trials: 800 },
  ].map((size) => ({ ...problem, ...size, name: `${name} ${size.dimensions}` })),
);

/** Zitzler, Deb & Thiele 2000: f1 = x1, f2 = g·h. */
const SHAPES: readonly ((r: number, x: number) => number)[] = [
  (r) => 1 - Math.sqrt(r),
  (r) => 1 - r * r,
  (r, x) => 1 - Math.sqrt(r) - r * Math.sin(10 * Math.PI * x),
];
const NSGA2: readonly Problem[] = SHAPES.map((h, i) => ({
  name: `ZDT${i + 1}`,
  f: ([x = 0, ...rest]) => {
    const g = 1 + (9 * rest.reduce((a, b) => a + b, 0)) / rest.length;
    return [x, g * h(x / g, x)];
  },
  dimensions: 30,
  low: 0,
  high: 1,
  trials: 1000,
}));

export default command({
  description: 'what CMA-ES and NSGA-II reach, beside what bench/peers/optuna-evolution.py printed',
  flags: {
    Bench: {
      firstSeed: z.int().min(0).default(0).describe("our first study's seed"),
      peer: z.string().describe('a file of what the peer printed; ours run with as many seeds'),
    },
  },
  run: async ({ peer, firstSeed }) => {
    const theirs = JSON.parse(await readFile(peer, 'utf8')) as Record<string, number[]>;
    console.log('| sampler | problem | trials | seeds | measure | ours | Optuna | p (ours worse) |');
    console.log('|---|---|---|---|---|---|---|---|');
    const row = (sampler: string, { name, trials }: Problem, ours: readonly number[], sign: 1 | -1) => {
      const other = theirs[name]!;
      const losses = (values: readonly number[]) => values.map((value) => sign * value);
      const p = worseByRank(losses(ours), losses(other));
      const measure = sign === 1 ? 'best value' : 'hypervolume';
      console.log(
        `| ${sampler} | ${name} | ${trials} | ${other.length} | ${measure} | ${spread(ours)} | ${spread(other)} | ${p.toFixed(3)} |`,
      );
    };
    const solved = (problems: readonly Problem[]) => problems.filter(({ name }) => theirs[name]);
    for (const problem of solved(CMA_ES)) {
      const seeds = { first: firstSeed, count: theirs[problem.name]!.length };
      row(
        'CMA-ES',
        problem,
        await overSeeds(seeds, problem, 1, (seed) => new CmaEsSampler({ seed }), best),
        1,
      );
    }
    for (const problem of solved(NSGA2)) {
      const seeds = { first: firstSeed, count: theirs[problem.name]!.length };
      const ours = await overSeeds(seeds, problem, 2, (seed) => new Nsga2Sampler({ seed }), dominated);
      row('NSGA-II', problem, ours, -1);
    }
  },
});

async function overSeeds(
  { first, count }: { readonly first: number; readonly count: number },
  { f, dimensions, low, high, trials }: Problem,
  objectives: number,
  sampler: (seed: number) => Sampler,
  measure: (study: Study) => Promise<number>,
): Promise<number[]> {
  const results: number[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const directions = Array.from({ length: objectives }, () => 'minimize' as const);
    const study = await createStudy({ directions, sampler: sampler(seed) });
    const names = Array.from({ length: dimensions }, (_, i) => `x${i}`);
    await study.optimize((trial) => f(names.map((name) => trial.suggestFloat(name, low, high))), { trials });
    results.push(await measure(study));
  }
  return results;
}

const best = (study: Study) => study.bestValue();

/** What the trials dominate below (1.1, 11). */
async function dominated(study: Study): Promise<number> {
  const reference = [1.1, 11];
  const points = (await study.bestTrials()).map(({ values }) => values!);
  return hypervolume(
    points.filter((point) => point.every((value, i) => value <= reference[i]!)),
    reference,
  );
}

/** Median and quartiles. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!.toPrecision(4);
  return `${at(0.5)} [${at(0.25)}, ${at(0.75)}]`;
}
