import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { randomStream } from '../../../src/random/random-stream.js';
import {
  type ImportanceOptions,
  importancesOf,
  rankedImportances,
} from '../../../src/study/importance/importance.js';
import { growTree, ordersOf } from '../../../src/study/importance/tree.js';
import { newTrialRecord } from '../../../src/study/storage/trial-record.js';
import { type Distribution, type ParamValue, toInternal } from '../../../src/study/trials/distribution.js';
import type { FrozenTrial } from '../../../src/study/trials/frozen-trial.js';
import {
  categoricalDistribution,
  floatDistribution,
  intDistribution,
} from '../../../src/study/trials/make-distribution.js';

type Params = Readonly<Record<string, ParamValue>>;

interface Golden {
  readonly studies: Readonly<Record<string, readonly { params: Params; value: number }[]>>;
  readonly pedAnova: readonly {
    readonly study: string;
    readonly options: Readonly<Record<string, number | boolean>>;
    readonly importances: Readonly<Record<string, number>>;
    readonly raw: Readonly<Record<string, number>>;
  }[];
  readonly fanova: Readonly<Record<string, readonly number[]>>;
}

/** Made by golden/make_importance.py. */
const golden: Golden = JSON.parse(readFileSync(new URL('golden/importance.json', import.meta.url), 'utf8'));

const MIXED: Readonly<Record<string, Distribution>> = {
  x: floatDistribution(-5, 5),
  rate: floatDistribution(1e-5, 1e-1, { log: true }),
  step: floatDistribution(0, 1, { step: 0.25 }),
  n: intDistribution(1, 100),
  log: intDistribution(1, 64, { log: true }),
  even: intDistribution(2, 20, { step: 2 }),
  kind: categoricalDistribution(['a', 'b', 'c']),
  fixed: floatDistribution(1, 1),
};
const UNIT = floatDistribution(0, 1);

function trialsOf(
  rows: readonly { params: Params; value: number }[],
  distributionOf: (name: string) => Distribution,
): FrozenTrial[] {
  return rows.map(({ params, value }, number) => {
    const distributions = Object.fromEntries(Object.keys(params).map((name) => [name, distributionOf(name)]));
    const internalParams = Object.fromEntries(
      Object.entries(params).map(([name, x]) => [name, toInternal(distributions[name]!, x)]),
    );
    return newTrialRecord(number, number, {
      state: 'COMPLETE',
      values: [value],
      params,
      internalParams,
      distributions,
    });
  });
}

/** Trials whose parameters are uniform in [0, 1]; `kind` is one of three. */
function sampled(
  count: number,
  f: (x: Readonly<Record<string, number>>, kind: string) => number,
): FrozenTrial[] {
  const random = randomStream(1, 'importance test');
  const rows = Array.from({ length: count }, () => {
    const x = { x: random(), y: random() };
    const kind = ['a', 'b', 'c'][Math.floor(3 * random())]!;
    return { params: { ...x, kind }, value: f(x, kind) };
  });
  return trialsOf(rows, (name) => (name === 'kind' ? MIXED.kind! : UNIT));
}

describe('importances', () => {
  it("by PED-ANOVA are those of Optuna's evaluator to within 1e-9", () => {
    const names: Record<string, keyof ImportanceOptions> = {
      target_quantile: 'targetQuantile',
      region_quantile: 'regionQuantile',
      evaluate_on_local: 'local',
    };
    for (const { study, options, importances, raw } of golden.pedAnova) {
      const trials = trialsOf(golden.studies[study]!, (name) => MIXED[name]!);
      const direction = study === 'tpe' ? 'maximize' : 'minimize';
      const given: ImportanceOptions = {
        evaluator: 'ped-anova',
        ...Object.fromEntries(Object.entries(options).map(([name, value]) => [names[name], value])),
      };
      const near = (actual: Record<string, number>, expected: Readonly<Record<string, number>>) => {
        assert.deepEqual(Object.keys(actual), Object.keys(expected));
        for (const [name, value] of Object.entries(expected))
          assert.ok(
            Math.abs(actual[name]! - value) <= 1e-9 * value,
            `${study} ${name}: ${actual[name]}, ${value}`,
          );
      };
      near(importancesOf(trials, [direction], given), importances);
      near(importancesOf(trials, [direction], { ...given, normalize: false }), raw);
    }
  });

  it("by fANOVA lie where Optuna's forests of other seeds do, 0.02 either way", () => {
    const trials = trialsOf(golden.studies.linear!, () => UNIT);
    const ours = importancesOf(trials, ['minimize'], { normalize: false });
    for (const [name, theirs] of Object.entries(golden.fanova)) {
      assert.ok(
        ours[name]! > theirs[0]! - 0.02 && ours[name]! < theirs.at(-1)! + 0.02,
        `${name}: ${ours[name]}`,
      );
    }
  });

  it('by fANOVA are the shares of the variance of a sum, within 0.03', () => {
    // var(3x) = 9/12; the choices give 0, 1, 2 of variance 2/3; y gives nothing
    const trials = sampled(400, ({ x }, kind) => 3 * x! + 'abc'.indexOf(kind));
    const { x, y, kind } = importancesOf(trials, ['maximize'], { normalize: false });
    const total = 9 / 12 + 2 / 3;
    assert.ok(Math.abs(x! - 9 / 12 / total) < 0.03 && Math.abs(kind! - 2 / 3 / total) < 0.03, `${x} ${kind}`);
    assert.ok(y! < 0.01, `${y}`);
  });

  it('by fANOVA leave out what parameters do together', () => {
    // (x − ½)(y − ½) has no main effects
    const trials = sampled(400, ({ x, y }) => (x! - 0.5) * (y! - 0.5));
    const { x, y } = importancesOf(trials, ['minimize'], { normalize: false });
    assert.ok(x! + y! < 0.35, `${x} ${y}`);
  });

  it('take a target where there are several objectives, and only trials that have the parameters', () => {
    const trials = sampled(60, ({ y }) => y!);
    const two = trials.map((trial) => ({ ...trial, values: [trial.values![0]!, 0] }));
    assert.throws(() => importancesOf(two, ['minimize', 'minimize']), /expected one objective, got 2/);
    const target = ({ values }: FrozenTrial) => values![0]!;
    assert.equal(Object.keys(importancesOf(two, ['minimize', 'minimize'], { target }))[0], 'y');
    const [first, ...rest] = trials;
    const { y: _, ...others } = first!.distributions;
    const lacking = [{ ...first!, distributions: others, params: { x: 0.5, kind: 'a' } }, ...rest];
    assert.deepEqual(Object.keys(importancesOf(lacking, ['minimize'])).sort(), ['kind', 'x']);
    assert.equal(Object.keys(importancesOf(lacking, ['minimize'], { params: ['x', 'y'] }))[0], 'y');
    assert.throws(
      () => importancesOf(lacking, ['minimize'], { params: ['z'] }),
      /no COMPLETE trial has all of z/,
    );
    assert.throws(
      () => importancesOf(trials.slice(0, 1), ['minimize']),
      /at least two COMPLETE trials, got 1/,
    );
  });

  it('are the same for values of any size', () => {
    const trials = sampled(60, ({ x, y }) => x! + 0.3 * y!);
    const of = (factor: number, evaluator: 'fanova' | 'ped-anova') =>
      rankedImportances(
        trials.map((trial) => ({ ...trial, values: [trial.values![0]! * factor] })),
        ['minimize'],
        { evaluator },
      );
    for (const evaluator of ['fanova', 'ped-anova'] as const)
      for (const factor of [2 ** 1023, -(2 ** 1020), 2 ** -1000])
        assert.deepEqual(
          of(factor, evaluator).map(([name]) => name),
          of(Math.sign(factor), evaluator).map(([name]) => name),
          `${evaluator}, ${factor}`,
        );
    const extremes = sampled(60, ({ x }) => (x! > 0.5 ? 1e308 : -1e308));
    const { x, y } = importancesOf(extremes, ['minimize']);
    assert.ok(x! > 0.95 && y! < 0.05, `${x} ${y}`);
  });

  it('pass over trials whose value is infinite', () => {
    const trials = sampled(40, ({ x, y }) => x! + y!);
    for (const evaluator of ['fanova', 'ped-anova'] as const)
      for (const value of [Infinity, -Infinity])
        assert.deepEqual(
          importancesOf([...trials, { ...trials[0]!, number: 40, values: [value] }], ['minimize'], {
            evaluator,
          }),
          importancesOf(trials, ['minimize'], { evaluator }),
        );
  });

  it('hold for parameters of any name, in their order', () => {
    const renamed = (fields: Readonly<Record<string, unknown>>) =>
      Object.fromEntries(
        Object.entries(fields).map(([name, field]) => [{ x: '10', y: '2', kind: '__proto__' }[name], field]),
      );
    const trials = sampled(60, ({ x, y }) => 3 * x! + y!).map(
      (trial) =>
        ({
          ...trial,
          params: renamed(trial.params),
          internalParams: renamed(trial.internalParams),
          distributions: renamed(trial.distributions),
        }) as FrozenTrial,
    );
    for (const evaluator of ['fanova', 'ped-anova'] as const)
      assert.deepEqual(
        rankedImportances(trials, ['minimize'], { evaluator }).map(([name]) => name),
        ['10', '2', '__proto__'],
      );
    assert.throws(
      () => importancesOf(trials, ['minimize'], { params: ['constructor'] }),
      /has all of constructor/,
    );
  });

  it('are equal if nothing matters', () => {
    const trials = sampled(30, () => 1);
    for (const evaluator of ['fanova', 'ped-anova'] as const) {
      const all = Object.values(importancesOf(trials, ['minimize'], { evaluator }));
      assert.deepEqual(
        all.map((importance) => Math.round(importance * 1e6) / 1e6),
        [0.333333, 0.333333, 0.333333],
      );
    }
  });

  it('are equal where each parameter is one value, and none where ranges move', () => {
    const of = (range: (i: number) => Distribution) =>
      sampled(5, ({ x }) => x!).map(
        (trial, i): FrozenTrial => ({ ...trial, params: { x: 1 }, distributions: { x: range(i) } }),
      );
    for (const evaluator of ['fanova', 'ped-anova'] as const) {
      const single = of(() => floatDistribution(1, 1));
      assert.deepEqual(importancesOf(single, ['minimize'], { evaluator }), { x: 1 });
      const moving = of((i) => floatDistribution(0, 1 + i));
      assert.deepEqual(importancesOf(moving, ['minimize'], { evaluator }), {});
    }
  });
});

describe('growTree', () => {
  it('divides the space into cells that fill it and predict the points drawn', () => {
    const random = randomStream(2, 'tree test');
    const draw = (f: () => number) => Float64Array.from({ length: 50 }, f);
    const columns = [
      draw(random),
      draw(() => Math.floor(3 * random())),
      draw(() => Math.floor(4 * random()) / 4),
    ];
    const points = { axes: ['range', { choices: 3 }, 'range'] as const, columns, values: draw(random) };
    const weights = Uint8Array.from({ length: 50 }, (_, i) => i % 3);
    const cells = growTree(points, weights, ordersOf(points));
    const share = (extent: readonly (number | boolean)[]) =>
      typeof extent[0] === 'boolean'
        ? extent.filter(Boolean).length / extent.length
        : (extent[1] as number) - (extent[0] as number);
    const volume = cells.reduce(
      (sum, { extents }) => sum + extents.reduce((v, extent) => v * share(extent), 1),
      0,
    );
    assert.ok(Math.abs(volume - 1) < 1e-12);
    for (let i = 0; i < 50; i++) {
      const home = cells.filter(({ extents }) =>
        extents.every((extent, a) => {
          const x = columns[a]![i]!;
          if (typeof extent[0] === 'boolean') return extent[x];
          const [from, to] = extent as readonly [number, number];
          return x <= to && (x > from || from === 0);
        }),
      );
      assert.equal(home.length, 1);
      if (weights[i]! > 0) assert.ok(Math.abs(home[0]!.value - points.values[i]!) < 1e-12);
    }
  });
});
