import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Pruner } from '../../../src/study/contracts/pruner.js';
import type { StudyView } from '../../../src/study/contracts/study-view.js';
import { createStudy } from '../../../src/study/create-study.js';
import { HyperbandPruner } from '../../../src/study/pruners/hyperband.js';
import { NopPruner } from '../../../src/study/pruners/nop.js';
import { PatientPruner } from '../../../src/study/pruners/patient.js';
import { MedianPruner, PercentilePruner } from '../../../src/study/pruners/percentile.js';
import { signedRankPValue } from '../../../src/study/pruners/signed-rank.js';
import { SortedValues } from '../../../src/study/pruners/sorted-values.js';
import { SuccessiveHalvingPruner } from '../../../src/study/pruners/successive-halving.js';
import { ThresholdPruner } from '../../../src/study/pruners/threshold.js';
import { WilcoxonPruner } from '../../../src/study/pruners/wilcoxon.js';
import type { Direction, FrozenTrial } from '../../../src/study/trials/frozen-trial.js';
import { middle } from '../sampler.js';

interface Case {
  readonly direction: Direction;
  readonly fails: readonly number[];
  readonly curves: readonly (readonly (readonly [number, number | string])[])[];
  readonly decisions: Readonly<Record<string, readonly string[]>>;
}

const golden = JSON.parse(readFileSync(new URL('golden/pruners.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[];
  readonly ranks: readonly { readonly differences: number[]; readonly p: number }[];
};

/** By the name that golden/make_pruners.py gives to the same one of Optuna. */
const PRUNERS: Readonly<Record<string, () => Pruner>> = {
  'new NopPruner()': () => new NopPruner(),
  'new MedianPruner()': () => new MedianPruner(),
  'new MedianPruner({ startupTrials: 2, warmupSteps: 3, intervalSteps: 3 })': () =>
    new MedianPruner({ startupTrials: 2, warmupSteps: 3, intervalSteps: 3 }),
  'new MedianPruner({ startupTrials: 0, minTrials: 4 })': () =>
    new MedianPruner({ startupTrials: 0, minTrials: 4 }),
  'new PercentilePruner(25, { startupTrials: 4 })': () => new PercentilePruner(25, { startupTrials: 4 }),
  'new PercentilePruner(80, { startupTrials: 1, warmupSteps: 1 })': () =>
    new PercentilePruner(80, { startupTrials: 1, warmupSteps: 1 }),
  'new SuccessiveHalvingPruner()': () => new SuccessiveHalvingPruner(),
  'new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 2 })': () =>
    new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 2 }),
  'new SuccessiveHalvingPruner({ minResource: 2, reductionFactor: 2, minEarlyStoppingRate: 1 })': () =>
    new SuccessiveHalvingPruner({ minResource: 2, reductionFactor: 2, minEarlyStoppingRate: 1 }),
  'new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 3, bootstrapCount: 3 })': () =>
    new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 3, bootstrapCount: 3 }),
  'new HyperbandPruner()': () => new HyperbandPruner(),
  'new HyperbandPruner({ minResource: 1, maxResource: 12, reductionFactor: 2 })': () =>
    new HyperbandPruner({ minResource: 1, maxResource: 12, reductionFactor: 2 }),
  'new HyperbandPruner({ minResource: 2, maxResource: 12, reductionFactor: 2, bootstrapCount: 2 })': () =>
    new HyperbandPruner({ minResource: 2, maxResource: 12, reductionFactor: 2, bootstrapCount: 2 }),
  'new HyperbandPruner({ minResource: 5 })': () => new HyperbandPruner({ minResource: 5 }),
  'new HyperbandPruner({ minResource: 4, maxResource: 4 })': () =>
    new HyperbandPruner({ minResource: 4, maxResource: 4 }),
  'new WilcoxonPruner()': () => new WilcoxonPruner(),
  'new WilcoxonPruner({ pThreshold: 0.3, startupSteps: 4 })': () =>
    new WilcoxonPruner({ pThreshold: 0.3, startupSteps: 4 }),
  'new PatientPruner(null, 1)': () => new PatientPruner(null, 1),
  'new PatientPruner(new MedianPruner({ startupTrials: 1 }), 2, { minDelta: 0.2 })': () =>
    new PatientPruner(new MedianPruner({ startupTrials: 1 }), 2, { minDelta: 0.2 }),
  'new ThresholdPruner({ lower: -1, upper: 2 })': () => new ThresholdPruner({ lower: -1, upper: 2 }),
  'new ThresholdPruner({ upper: 1, warmupSteps: 2, intervalSteps: 2 })': () =>
    new ThresholdPruner({ upper: 1, warmupSteps: 2, intervalSteps: 2 }),
};

type Curve = readonly (readonly [step: number, value: number])[];

/** Four trials at a time report in turn; what comes back is one string a trial, as in the golden file. */
async function decisions(
  pruner: Pruner,
  direction: Direction,
  curves: readonly Curve[],
  fails: readonly number[] = [],
): Promise<string[]> {
  const study = await createStudy({
    studyName: 'golden',
    direction,
    pruner,
    sampler: middle,
    warn: () => {},
  });
  const all: string[] = [];
  for (let start = 0; start < curves.length; start += 4) {
    const group = [];
    for (const curve of curves.slice(start, start + 4))
      group.push({ trial: await study.ask(), curve, said: '' });
    const longest = Math.max(...group.map(({ curve }) => curve.length));
    for (let i = 0; i < longest; i++)
      for (const each of group) {
        if (each.said.endsWith('1') || i >= each.curve.length) continue;
        const [step, value] = each.curve[i]!;
        await each.trial.report(value, step);
        each.said += (await each.trial.shouldPrune()) ? '1' : '0';
        if (each.said.endsWith('1')) await study.tell(each.trial, null, { state: 'PRUNED' });
      }
    for (const { trial, curve, said } of group) {
      all.push(said);
      if (said.endsWith('1')) continue;
      const last = curve.at(-1)?.[1] ?? Number.NaN;
      if (fails.includes(trial.number)) await study.tell(trial, null, { state: 'FAIL' });
      else await study.tell(trial, last);
    }
  }
  return all;
}

const NUMBERS: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
const read = (value: number | string) => (typeof value === 'number' ? value : NUMBERS[value]!);

/** Few values, so that some are equal, but none half-way between others, where rounding would decide. */
const value = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -8, max: 8 }).map(Math.sin) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity) },
);
const curve = fc.array(value, { maxLength: 9 }).map((values): Curve => [...values.entries()]);
/** Without infinities, between which numpy's percentile, like ours, depends on the direction. */
const numberCurves = fc.array(
  curve.map((line) => line.filter(([, each]) => Math.abs(each) !== Infinity)),
  { minLength: 1, maxLength: 16 },
);
const anyCurves = fc.array(curve, { minLength: 1, maxLength: 16 });

describe('pruners', () => {
  it('are all in the golden file', () => {
    for (const each of golden.cases) assert.deepEqual(Object.keys(each.decisions), Object.keys(PRUNERS));
  });

  for (const [name, make] of Object.entries(PRUNERS)) {
    it(`${name} decides as Optuna's, report by report`, async () => {
      for (const { direction, fails, curves, decisions: expected } of golden.cases) {
        const lines = curves.map((line) => line.map(([step, each]) => [step, read(each)] as const));
        assert.deepEqual(await decisions(make(), direction, lines, fails), expected[name]);
      }
    });

    if (name.startsWith('new ThresholdPruner')) continue;
    it(`${name} takes more for less when the direction turns`, () =>
      fc.assert(
        fc.asyncProperty(numberCurves, async (curves) => {
          const turned = curves.map((line) => line.map(([step, each]) => [step, -each] as const));
          assert.deepEqual(
            await decisions(make(), 'maximize', turned),
            await decisions(make(), 'minimize', curves),
          );
        }),
        { numRuns: 15 },
      ));
  }

  it('never end the best trial so far by median, halving or rank', () =>
    fc.assert(
      fc.asyncProperty(anyCurves, async (curves) => {
        const best: Curve = Array.from({ length: 9 }, (_, step) => [step, -100]);
        for (const pruner of [new MedianPruner(), new SuccessiveHalvingPruner(), new WilcoxonPruner()]) {
          const finite = curves.map((line) => line.filter(([, each]) => Number.isFinite(each)));
          assert.equal((await decisions(pruner, 'minimize', [...finite, best])).at(-1), '000000000');
        }
      }),
      { numRuns: 15 },
    ));

  it('let a halving keep the best fourth of a rung at least, and one', () =>
    fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 24 }), async (values) => {
        const lines = values.map((each): Curve => [[1, each]]);
        const kept = await decisions(new SuccessiveHalvingPruner({ minResource: 1 }), 'minimize', lines);
        for (const [i, said] of kept.entries()) {
          const better = values.slice(0, i).filter((each) => each < values[i]!).length;
          assert.equal(said, better < Math.max(1, Math.floor((i + 1) / 4)) ? '0' : '1');
        }
      }),
    ));

  it('share rungs between processes through the storage', async () => {
    const { MemoryStorage } = await import('../../../src/study/storage/memory-storage.js');
    const storage = new MemoryStorage();
    const options = { storage, studyName: 'shared', sampler: middle, loadIfExists: true };
    const pruner = () => new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 2 });
    const [a, b] = [
      await createStudy({ ...options, pruner: pruner() }),
      await createStudy({ ...options, pruner: pruner() }),
    ];
    const [good, bad] = [await a.ask(), await b.ask()];
    await good.report(1, 1);
    assert.equal(await good.shouldPrune(), false);
    assert.deepEqual((await b.trials())[0]!.systemAttrs, { completed_rung_0: 1 });
    await bad.report(2, 1);
    assert.equal(await bad.shouldPrune(), true);
  });

  for (const [what, make, message] of [
    ['a percentile', () => new PercentilePruner(101), /^percentile: expected 0 to 100, got 101/],
    [
      'startup trials',
      () => new MedianPruner({ startupTrials: -1 }),
      /startupTrials: expected 0 or more, got -1/,
    ],
    ['a minimum of trials', () => new MedianPruner({ minTrials: 0 }), /minTrials: expected 1 or more, got 0/],
    ['a warm-up', () => new MedianPruner({ warmupSteps: -1 }), /warmupSteps: expected 0 or more, got -1/],
    ['an interval', () => new MedianPruner({ intervalSteps: 0 }), /intervalSteps: expected 1 or more, got 0/],
    [
      'a resource',
      () => new SuccessiveHalvingPruner({ minResource: 0 }),
      /minResource: expected 1 or more or 'auto', got 0/,
    ],
    [
      'a factor',
      () => new SuccessiveHalvingPruner({ reductionFactor: 1 }),
      /reductionFactor: expected 2 or more, got 1/,
    ],
    [
      'a rate',
      () => new SuccessiveHalvingPruner({ minEarlyStoppingRate: -1 }),
      /minEarlyStoppingRate: expected 0 or more/,
    ],
    [
      'a bootstrap without a resource',
      () => new SuccessiveHalvingPruner({ bootstrapCount: 1 }),
      /bootstrapCount: it needs a minResource/,
    ],
    [
      'a hyperband without end',
      () => new HyperbandPruner({ maxResource: Number.POSITIVE_INFINITY }),
      /maxResource: expected an integer or 'auto', got Infinity/,
    ],
    [
      'a hyperband without steps',
      () => new HyperbandPruner({ minResource: 9, maxResource: 3 }),
      /maxResource: expected 9 \(minResource\) or more/,
    ],
    ['a p-value', () => new WilcoxonPruner({ pThreshold: 2 }), /pThreshold: expected 0 to 1, got 2/],
    ['patience', () => new PatientPruner(null, -1), /patience: expected 0 or more, got -1/],
    ['a threshold without limits', () => new ThresholdPruner({}), /threshold: expected lower, upper or both/],
    [
      'limits that cross',
      () => new ThresholdPruner({ lower: 2, upper: 1 }),
      /expected lower <= upper, got 2 and 1/,
    ],
  ] as const)
    it(`refuse nonsense: ${what}`, () => assert.throws(make, { name: 'UserError', message }));

  it('need a study of one objective', async () => {
    const study = await createStudy({ directions: ['minimize', 'minimize'], sampler: middle });
    await assert.rejects(
      (await study.ask()).shouldPrune(),
      /pruning: expected a study of one objective, got 2/,
    );
  });
});

describe('PatientPruner', () => {
  it('looks back over 200,000 steps', () => {
    const losses = Array.from({ length: 200_000 }, (_, step) => [step, step] as const);
    const trial = { intermediateValues: new Map(losses) } as unknown as FrozenTrial;
    const study = { directions: ['minimize'] } as unknown as StudyView;
    assert.equal(new PatientPruner(null, 1000).prune(study, trial), true);
  });
});

describe('HyperbandPruner', () => {
  it('has as many brackets as powers of the factor fit, exact ones too', async () => {
    for (const [minResource, maxResource, reductionFactor, count] of [
      [1, 1000, 10, 4],
      [1, 243, 3, 6],
      [1, 242, 3, 5],
      [5, 5, 3, 1],
    ] as const) {
      const pruner = new HyperbandPruner({ minResource, maxResource, reductionFactor });
      const study = await createStudy({ studyName: 's', pruner, sampler: middle });
      const trials = Array.from({ length: 4000 }, (_, number) => ({ number }) as FrozenTrial);
      assert.equal(new Set(trials.map((trial) => pruner.view(study.cache, trial))).size, count);
    }
  });
});

describe('the signed-rank test', () => {
  it("equals scipy's", () => {
    for (const { differences, p } of golden.ranks)
      assert(
        Math.abs(signedRankPValue(differences) - p) < 1e-9,
        `${differences.length}: ${signedRankPValue(differences)}, ${p}`,
      );
  });
});

describe('SortedValues', () => {
  it('keeps all but NaN in order, counts and interpolates', () =>
    fc.assert(
      fc.property(fc.array(value), value, (values, x) => {
        const sorted = new SortedValues();
        for (const each of values) sorted.add(each);
        const expected = values.filter((each) => !Number.isNaN(each)).toSorted((a, b) => a - b);
        assert.deepEqual(sorted.values, expected);
        if (Number.isNaN(x)) return;
        assert.equal(sorted.countBelow(x), expected.filter((each) => each < x).length);
        assert.equal(sorted.countUpTo(x), expected.filter((each) => each <= x).length);
        if (expected.length % 2 === 0) return;
        // As numpy 2.4.6: nanpercentile([0, 0, inf], 50) is nan, and so is that of [inf].
        const around = expected.slice((expected.length - 1) / 2, (expected.length + 3) / 2);
        assert.equal(sorted.percentile(50), around.every(Number.isFinite) ? around[0] : Number.NaN);
      }),
    ));
});
