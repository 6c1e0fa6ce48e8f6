import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Plot, toSvg } from '../../../src/report/render.js';
import { plotContour } from '../../../src/report/study/contour.js';
import { plotOptimizationHistory } from '../../../src/report/study/history.js';
import { plotIntermediateValues } from '../../../src/report/study/intermediate.js';
import { plotParallelCoordinates } from '../../../src/report/study/parallel.js';
import { plotSlice } from '../../../src/report/study/slice.js';
import { type StudyData, spaceOf, studyData } from '../../../src/report/study/study-data.js';
import { studyPlots, writeStudyPlots } from '../../../src/report/study/study-plots.js';
import { createStudy } from '../../../src/study/create-study.js';
import { Nsga2Sampler } from '../../../src/study/samplers/nsga2/nsga2.js';
import { QmcSampler } from '../../../src/study/samplers/qmc/qmc.js';
import type { Study } from '../../../src/study/study.js';
import type { Trial } from '../../../src/study/trial.js';
import { TrialPruned } from '../../../src/study/trial-pruned.js';
import type { FrozenTrial } from '../../../src/study/trials/frozen-trial.js';
import { floatDistribution } from '../../../src/study/trials/make-distribution.js';

/** All that can be read in a picture. */
const textsOf = async (plot: Plot) => {
  const svg = await toSvg(plot);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);
};

const emptyData: StudyData = { name: 's', directions: ['minimize'], trials: [] };

/** The paths to numbers that are not finite. */
function oddNumbers(node: unknown, path = ''): string[] {
  if (typeof node === 'number') return Number.isFinite(node) ? [] : [`${path}: ${node}`];
  if (node === null || typeof node !== 'object') return [];
  return Object.entries(node).flatMap(([key, each]) => oddNumbers(each, `${path}.${key}`));
}

/** Twelve trials of every kind: pruned, infinite, failed, with a parameter that only some have. */
async function search(): Promise<Study> {
  const study = await createStudy({
    studyName: 'search',
    direction: 'maximize',
    sampler: new QmcSampler({ seed: 1 }),
    warn: () => {},
  });
  await study.optimize(
    async (trial) => {
      const rate = trial.suggestFloat('learning.rate', 1e-5, 1e-1, { log: true });
      const rank = trial.suggestInt('rank', 4, 64);
      const kind = trial.suggestCategorical('kind', ['lora', 'serial']);
      if (kind === 'lora') trial.suggestFloat('only lora', 0, 1);
      await trial.report(rank, 1);
      if (trial.number === 3) throw new TrialPruned();
      await trial.report(rank + 1, 2);
      return trial.number === 5 ? Number.POSITIVE_INFINITY : trial.number === 7 ? Number.NaN : rank - rate;
    },
    { trials: 12 },
  );
  return study;
}

describe('study plots', () => {
  let searched: Study;
  before(async () => {
    searched = await search();
  });

  it('are those that the trials suffice for', async () => {
    const empty = await createStudy({ sampler: new QmcSampler() });
    assert.deepEqual(studyPlots(await studyData(empty)), {});
    await empty.optimize(() => 1, { trials: 1 });
    assert.deepEqual(Object.keys(studyPlots(await studyData(empty))), ['optimization-history']);
    assert.deepEqual(Object.keys(studyPlots(await studyData(searched))), [
      'intermediate-values',
      'optimization-history',
      'slice',
      'parallel-coordinates',
      'contour',
      'param-importances',
    ]);
  });

  it('leave importances out where ranges move, and draw a parameter of one value', async () => {
    for (const [high, last] of [
      [(n: number) => 2 + n, 'parallel-coordinates'],
      [() => 1, 'param-importances'],
    ] as const) {
      const study = await createStudy({ sampler: new QmcSampler() });
      await study.optimize((trial) => trial.suggestFloat('x', 1, high(trial.number)), { trials: 3 });
      const plots = studyPlots(await studyData(study));
      assert.equal(Object.keys(plots).at(-1), last);
      for (const plot of Object.values(plots)) assert.ok((await textsOf(plot)).length > 0);
    }
  });

  it('hold no number that is none: constants, moving ranges, far ends', async () => {
    const shapes: Record<string, (trial: Trial) => number> = {
      constants: (trial) =>
        trial.suggestFloat('c', 1, 1) + trial.suggestInt('d', 2, 2) + trial.suggestFloat('x', 0, 1),
      moving: (trial) =>
        trial.suggestFloat('x', 0, 1 + trial.number) +
        trial.suggestFloat('l', 1, 2 + trial.number, { log: true }),
      far: (trial) =>
        trial.suggestFloat('x', 1e-300, 1e300, { log: true }) + trial.suggestFloat('y', -8e307, 0) / 1e10,
      equal: (trial) => Number(trial.suggestFloat('x', 0, 1) + trial.suggestInt('y', 0, 3) < 0),
    };
    for (const [shape, objective] of Object.entries(shapes)) {
      const study = await createStudy({ sampler: new QmcSampler({ seed: 1 }) });
      await study.optimize(objective, { trials: 6 });
      const data = await studyData(study);
      const plots = {
        ...studyPlots(data),
        whole: plotContour(data, { params: [...spaceOf(data.trials).keys()] }),
      };
      assert.ok('contour' in plots === (shape !== 'constants'), shape);
      for (const [name, plot] of Object.entries(plots))
        assert.deepEqual(oddNumbers(plot), [], `${shape}, ${name}`);
    }
    assert.throws(() => plotContour(emptyData), /contour: expected trials and two parameters/);
  });

  it('leave out values whose differences are no doubles', async () => {
    const study = await createStudy({ sampler: new QmcSampler() });
    await study.optimize((trial) => [1e308, -1e308, 1][trial.number]!, { trials: 3 });
    const { values } = plotOptimizationHistory(await studyData(study)).data as { values: object[] };
    assert.equal(values.length, 1);
  });

  it('show parameters and objectives of any name', async () => {
    const study = await createStudy({
      studyName: 'constructor',
      directions: ['minimize', 'maximize'],
      sampler: new QmcSampler({ seed: 1 }),
    });
    await study.setMetricNames(['\x1b[2J', '测']);
    const names = ['a\x1b[2J<b>', '__proto__', 'constructor', '10', '2'];
    await study.optimize(
      (trial) => [names.reduce((sum, name) => sum + trial.suggestFloat(name, 0, 1), 0), trial.number],
      { trials: 4 },
    );
    const plots = studyPlots(await studyData(study));
    assert.deepEqual(
      Object.keys(plots).filter((name) => name.startsWith('slice')),
      ['slice--2j', 'slice---2'],
    );
    const texts = await textsOf(plots['slice--2j']!);
    for (const word of ['a\\x1b[2J&lt;b&gt;', '__proto__', 'constructor', '10', '2', '\\x1b[2J'])
      assert.ok(
        texts.some((text) => text.trim() === word),
        `${word} in ${texts}`,
      );
  });

  it('are made of 200,000 trials', () => {
    const x = floatDistribution(0, 1);
    const trials = Array.from(
      { length: 200_000 },
      (_, number): FrozenTrial => ({
        id: number,
        number,
        state: 'COMPLETE',
        values: [number],
        params: { x: number / 200_000 },
        internalParams: { x: number / 200_000 },
        distributions: { x },
        intermediateValues: new Map(
          number % 2
            ? [[0, number]]
            : [
                [0, 0],
                [1, 1],
              ],
        ),
        userAttrs: {},
        systemAttrs: {},
        datetimeStart: 0,
        datetimeComplete: 1,
      }),
    );
    const data = { ...emptyData, trials };
    const [panel] = plotSlice(data).concat as { data: { values: object[] } }[];
    assert.equal(panel!.data.values.length, 200_000);
    const [lines] = plotParallelCoordinates(data).layer as { data: { values: { at: number }[] } }[];
    assert.deepEqual([lines!.data.values.length, lines!.data.values[0]!.at], [400_000, 1]);
    const [, single] = plotIntermediateValues(data).layer as {
      transform: { filter: { oneOf: number[] } }[];
    }[];
    assert.equal(single!.transform[0]!.filter.oneOf.length, 100_000);
  });

  it('name study, objective, parameters and choices', async () => {
    await searched.setMetricNames(['Soft Dice']);
    const plots = studyPlots(await studyData(searched));
    const wanted: Record<string, readonly string[]> = {
      'intermediate-values': [
        'search',
        'Step',
        'Intermediate Soft Dice',
        'best',
        'complete',
        'pruned',
        'fail',
      ],
      'optimization-history': ['Optimization history', 'Trial', 'Soft Dice', 'best so far'],
      slice: ['learning.rate', 'rank', 'kind', 'only lora', 'lora', 'serial', '1e-3'],
      'parallel-coordinates': ['Soft Dice', 'learning.rate', 'rank', 'kind', 'lora', 'serial', '64', '1e-5'],
      contour: ['learning.rate', 'rank', 'kind'],
      'param-importances': ['Parameter importances (fANOVA)', 'learning.rate', 'rank', 'kind'],
    };
    for (const [name, words] of Object.entries(wanted)) {
      const texts = await textsOf(plots[name]!);
      for (const word of words) assert.ok(texts.includes(word), `${name}: ${word} in ${texts}`);
    }
  });

  it('hold each trial once, and the best so far never falls', async () => {
    const data = await studyData(searched);
    const { values } = plotOptimizationHistory(data).data as { values: { number: number; best: number }[] };
    // all but the pruned one, the infinite one and the failed one
    assert.deepEqual(
      values.map(({ number }) => number),
      [0, 1, 2, 4, 6, 8, 9, 10, 11],
    );
    assert.ok(values.every(({ best }, i) => i === 0 || best >= values[i - 1]!.best));
    const panels = plotSlice(data, { params: ['rank', 'only lora'] }).concat as {
      data: { values: object[] };
    }[];
    const lora = data.trials.filter(
      ({ params, number }) => 'only lora' in params && ![3, 5, 7].includes(number),
    );
    assert.deepEqual(
      panels.map((panel) => panel.data.values.length),
      [9, lora.length],
    );
  });

  it('draw a surface with a cell for each choice and no hole', async () => {
    const data = await studyData(searched);
    const [panel] = plotContour(data, { params: ['rank', 'kind'] }).concat as {
      layer: { data: { values: { x: number; x2: number; y: string }[] } }[];
    }[];
    const cells = panel!.layer[0]!.data.values;
    for (const kind of ['lora', 'serial']) {
      const row = cells.filter(({ y }) => y === kind);
      assert.equal(row[0]!.x, 4);
      assert.equal(row.at(-1)!.x2, 64);
      row.slice(1).forEach(({ x }, i) => assert.equal(x, row[i]!.x2));
    }
  });

  it('show the front of several objectives, each with plots of its own', async () => {
    const study = await createStudy({
      directions: ['minimize', 'maximize'],
      sampler: new Nsga2Sampler({ seed: 1, constraints: ({ params }) => [0.2 - (params.x as number)] }),
    });
    await study.optimize(
      (trial) => {
        const x = trial.suggestFloat('x', 0, 1);
        return [x, x - trial.suggestFloat('y', 0, 1)];
      },
      { trials: 15 },
    );
    const plots = studyPlots(await studyData(study));
    assert.equal(Object.keys(plots).length, 10);
    const texts = await textsOf(plots['pareto-front']!);
    for (const word of ['Pareto front', 'other trials', 'violates constraints', 'Objective 1 (minimize)'])
      assert.ok(texts.includes(word), `${word} in ${texts}`);
    assert.ok((await textsOf(plots['param-importances']!)).includes('Objective 2'));
  });

  it('are written as SVG and PNG', async () => {
    const study = await createStudy({ sampler: new QmcSampler() });
    await study.optimize(() => 1, { trials: 1 });
    const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    try {
      assert.deepEqual(await writeStudyPlots(dir, study), [join(dir, 'optimization-history')]);
      assert.deepEqual(readdirSync(dir).sort(), ['optimization-history.png', 'optimization-history.svg']);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
