import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createStudy, loadStudy } from '../../../../src/study/create-study.js';
import { Nsga2Sampler } from '../../../../src/study/samplers/nsga2/nsga2.js';
import {
  crowdingDistances,
  elite,
  fronts,
  type Individual,
} from '../../../../src/study/samplers/nsga2/selection.js';
import { MemoryStorage } from '../../../../src/study/storage/memory-storage.js';
import type { Study } from '../../../../src/study/study.js';
import type { Trial } from '../../../../src/study/trial.js';
import { dominates } from '../../../../src/study/trials/best-trials.js';
import type { FrozenTrial } from '../../../../src/study/trials/frozen-trial.js';

const KEY = 'NSGAIISampler:generation';

const individual = (losses: readonly number[], violation = 0): Individual => ({
  trial: {} as FrozenTrial,
  losses,
  violation,
});

const population = fc.array(
  fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 2, maxLength: 2 }),
      fc.constantFrom(0, 0, 0, 1, 2),
    )
    .map(([losses, violation]) => individual(losses, violation)),
  { minLength: 1, maxLength: 30 },
);

describe('NSGA-II selection', () => {
  it('sorts into fronts: the feasible by dominance, then the others by violation', () => {
    fc.assert(
      fc.property(population, (all) => {
        const sorted = fronts(all);
        assert.equal(sorted.flat().length, all.length);
        sorted.forEach((front, rank) => {
          const later = sorted.slice(rank).flat();
          for (const a of front) {
            // nobody from here on beats it, and somebody of the front before does
            for (const b of later) {
              assert.ok(b.violation >= a.violation);
              assert.ok(a.violation > 0 || b.violation > 0 || !dominates(b.losses, a.losses));
            }
            if (rank > 0)
              assert.ok(
                sorted[rank - 1]!.some(
                  (b) => b.violation < a.violation || (b.violation === 0 && dominates(b.losses, a.losses)),
                ),
              );
          }
        });
      }),
    );
  });

  it('keeps whole fronts while they fit, then the ends and the least crowded', () => {
    const front = [0, 1, 2, 6, 10].map((x) => individual([x, 10 - x]));
    // neighbours' distances as shares of 10, in both objectives
    assert.deepEqual(
      crowdingDistances(front).map((d) => Math.round(d * 1e9) / 1e9),
      [Number.POSITIVE_INFINITY, 0.4, 1, 1.6, Number.POSITIVE_INFINITY],
    );
    const worse = individual([11, 11]);
    assert.deepEqual(new Set(elite([worse, ...front], 4)), new Set([0, 2, 3, 4].map((i) => front[i])));
    assert.deepEqual(new Set(elite([worse, ...front], 6)), new Set([worse, ...front]));
  });

  it('lets neither equal nor infinite values break the distances', () => {
    assert.deepEqual(crowdingDistances([individual([1, 1]), individual([1, 1])]), [0, 0]);
    const [a, b, c] = crowdingDistances([0, 1, Number.POSITIVE_INFINITY].map((x) => individual([x])));
    assert.deepEqual([a, b, c], [Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY]);
  });
});

describe('Nsga2Sampler', () => {
  const schaffer = (trial: Trial) => {
    const x = trial.suggestFloat('x', -1000, 1000);
    trial.suggestCategorical('idle', ['a', 'b']);
    return [x * x, (x - 2) ** 2];
  };
  const generations = async (study: Study) =>
    (await study.trials()).map(({ systemAttrs }) => systemAttrs[KEY] as number);

  it('breeds generation after generation towards the front', async () => {
    const sampler = new Nsga2Sampler({ populationSize: 20, seed: 1 });
    const study = await createStudy({ directions: ['minimize', 'minimize'], sampler });
    await study.optimize(schaffer, { trials: 400 });
    assert.deepEqual(
      await generations(study),
      Array.from({ length: 400 }, (_, i) => Math.floor(i / 20)),
    );
    // x in [0, 2] is the front; the first generation is nowhere near it
    const last = (await study.trials()).slice(-20).map(({ params }) => Math.abs((params.x as number) - 1));
    assert.ok(last.filter((distance) => distance < 20).length >= 12, last.join());
  });

  it('gives children what their parents had, but for mutations', async () => {
    const sampler = new Nsga2Sampler({ populationSize: 4, mutationProbability: 0, seed: 2 });
    const study = await createStudy({ directions: ['maximize', 'minimize'], sampler });
    await study.optimize(schaffer, { trials: 30 });
    const xs = (await study.trials()).map(({ params }) => params.x);
    const first = new Set(xs.slice(0, 4));
    assert.ok(xs.slice(4).every((x) => first.has(x)));
  });

  it('prefers the feasible to the better, and notes constraints as Optuna does', async () => {
    const sampler = new Nsga2Sampler({
      populationSize: 10,
      mutationProbability: 0.5,
      seed: 3,
      constraints: ({ params }) => [5 - (params.x as number)],
    });
    const study = await createStudy({ sampler });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 10), { trials: 200 });
    const trials = await study.trials();
    assert.deepEqual(trials[0]!.systemAttrs.constraints, [5 - (trials[0]!.params.x as number)]);
    const value = await study.bestValue();
    assert.ok(value >= 5 && value < 5.3, `${value}`);
    const late = trials.slice(-50).filter(({ params }) => (params.x as number) >= 5);
    assert.ok(late.length > 30);
  });

  it('continues in another process as in one, and with several workers', async () => {
    const run = async (concurrency: number, ...parts: number[]) => {
      const storage = new MemoryStorage();
      const options = { storage, studyName: 's' };
      await createStudy({ ...options, directions: ['minimize', 'minimize'], sampler: new Nsga2Sampler() });
      for (const trials of parts) {
        const study = await loadStudy({
          ...options,
          sampler: new Nsga2Sampler({ populationSize: 6, seed: 5 }),
        });
        await study.optimize(schaffer, { trials, concurrency });
      }
      return loadStudy({ ...options, sampler: new Nsga2Sampler() });
    };
    const params = async (study: Study) => (await study.trials()).map((trial) => trial.params);
    assert.deepEqual(await params(await run(1, 1, 20, 2, 25)), await params(await run(1, 48)));
    const parallel = await generations(await run(4, 48));
    assert.ok(
      parallel.every((g, i) => g <= Math.floor(i / 6)) && Math.max(...parallel) >= 5,
      parallel.join(),
    );
  });

  it('continues where Optuna left off, by its generation attribute', async () => {
    const study = await createStudy({ sampler: new Nsga2Sampler({ populationSize: 2, seed: 1 }) });
    const { name: kind, ...range } = {
      name: 'FloatDistribution' as const,
      low: 0,
      high: 1,
      log: false,
      step: null,
    };
    for (const x of [0.25, 0.5])
      await study.addTrial({
        state: 'COMPLETE',
        values: [x],
        params: { x },
        internalParams: { x },
        distributions: { x: { name: kind, ...range } },
        systemAttrs: { [KEY]: 7 },
      });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1), { trials: 3 });
    assert.deepEqual(await generations(study), [7, 7, 8, 8, 9]);
  });

  it('refuses invalid options', () => {
    assert.throws(
      () => new Nsga2Sampler({ populationSize: 1 }),
      /populationSize: expected an integer from 2 up, got 1/,
    );
    assert.throws(() => new Nsga2Sampler({ swappingProbability: 2 }), /swappingProbability: expected 0 to 1/);
  });
});
