import assert from 'node:assert/strict';
import { type Python } from '../../../bench/peers/python.js';
import { type Place } from '../../../bench/places.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import { TpeSampler } from '../../../src/study/samplers/tpe/tpe.js';
import { distributionFromJson } from '../../../src/study/storage/distribution-json.js';
import type { Study } from '../../../src/study/study.js';
import type { Trial } from '../../../src/study/trial.js';
import type { FrozenTrial } from '../../../src/study/trials/frozen-trial.js';
import {
  categoricalDistribution,
  floatDistribution,
  intDistribution,
} from '../../../src/study/trials/make-distribution.js';
import { needsPlace } from '../../study/databases.js';
import { needsPython } from '../python.js';
import { storagesOf } from './requirements.js';

interface Dump {
  readonly directions: string[];
  readonly userAttrs: Record<string, unknown>;
  readonly metricNames: string[] | null;
  readonly trials: readonly {
    readonly number: number;
    readonly state: string;
    readonly values: (number | string)[] | null;
    readonly params: Record<string, unknown>;
    readonly types: Record<string, string>;
    readonly distributions: Record<string, string>;
    readonly intermediateValues: Record<string, number | string>;
    readonly userAttrs: Record<string, unknown>;
    readonly start: number | null;
    readonly complete: number | null;
  }[];
}

const script = new URL('interop.py', import.meta.url);
const choices = ['a', 'b', null, true, 2, 0.5] as const;
const sampler = () => new TpeSampler({ seed: 2, startupTrials: 3 });

/** The same as `objective` of interop.py. */
function suggest(trial: Trial): { x: number; value: number } {
  const x = trial.suggestFloat('x', -10, 10);
  const rate = trial.suggestFloat('rate', 1e-5, 1e-1, { log: true });
  const n = trial.suggestInt('n', 1, 64, { log: true });
  const kind = trial.suggestCategorical('kind', choices);
  return { x, value: x ** 2 + Math.abs(Math.log10(rate) + 3) + n + (kind === 'a' ? 0 : 1) };
}

async function goOn(study: Study, count: number): Promise<void> {
  await study.optimize(
    async (trial) => {
      const { x, value } = suggest(trial);
      await trial.report(x, 0);
      await trial.report(Number.NaN, 1);
      trial.setUserAttr('from', 'millrace');
      return value;
    },
    { trials: count },
  );
}

/** A study with a trial of every kind; interop.py's `create` makes the same. */
async function create(url: string, studyName: string): Promise<Study> {
  const study = await createStudy({ storage: url, studyName, sampler: sampler() });
  const distributions = {
    x: floatDistribution(-10, 10),
    grid: floatDistribution(0, 1, { step: 0.25 }),
    rate: floatDistribution(1e-5, 1e-1, { log: true }),
    n: intDistribution(1, 64, { log: true }),
    even: intDistribution(0, 10, { step: 2 }),
    kind: categoricalDistribution(choices),
  };
  const params = { x: 0.1, grid: 0.75, rate: 0.001, n: 8, even: 4, kind: null };
  const intermediateValues = new Map([
    [0, 1.5],
    [1, Number.NaN],
    [2, Infinity],
    [3, -Infinity],
  ]);
  const common = { params, distributions, intermediateValues };
  await study.addTrial({
    state: 'COMPLETE',
    values: [0.25],
    ...common,
    userAttrs: { note: 'Füße', list: [1, 2.5, null] },
  });
  await study.addTrial({ state: 'COMPLETE', values: [Infinity], ...common });
  await study.addTrial({ state: 'PRUNED', values: [1.5], ...common });
  await study.addTrial({ state: 'FAIL', ...common });
  await study.enqueueTrial({ x: 3, kind: true }, { userAttrs: { queued: true } });
  const running = await study.storage.createTrial((await study.storage.findStudy(studyName))!.id);
  await study.storage.writeTrial(running.id, {
    params: new Map([['x', { internal: 0.5, distribution: floatDistribution(-10, 10) }]]),
  });
  await study.setUserAttr('who', 'millrace');
  await study.setMetricNames(['loss']);
  return study;
}

const text = (value: number) =>
  Number.isFinite(value) ? value : String(value).replace('NaN', 'nan').replace('Infinity', 'inf');

/** What both sides must say of a trial; dates to the second, which is all that MySQL keeps. */
function common(trial: FrozenTrial) {
  return {
    number: trial.number,
    state: trial.state,
    values: trial.values?.map(text) ?? null,
    params: trial.params,
    distributions: trial.distributions,
    intermediateValues: Object.fromEntries(
      [...trial.intermediateValues].map(([step, value]) => [step, text(value)]),
    ),
    userAttrs: trial.userAttrs,
  };
}

async function assertSame(study: Study, dump: Dump): Promise<void> {
  const trials = await study.trials();
  const theirs = dump.trials.map(({ types: _types, start: _start, complete: _complete, ...rest }) => ({
    ...rest,
    distributions: Object.fromEntries(
      Object.entries(rest.distributions).map(([name, json]) => [name, distributionFromJson(json)]),
    ),
  }));
  assert.deepEqual(theirs, trials.map(common));
  for (const [i, { start, complete }] of dump.trials.entries())
    for (const [ours, other] of [
      [trials[i]!.datetimeStart, start],
      [trials[i]!.datetimeComplete, complete],
    ] as const) {
      assert.equal(ours === null, other === null);
      assert(Math.abs((ours ?? 0) - (other ?? 0)) < 1000, `trial ${i}: ${ours} here, ${other} there`);
      assert(
        Math.abs((ours ?? Date.now()) - Date.now()) < 600_000,
        `trial ${i}: ${new Date(ours!).toISOString()}`,
      );
    }
}

for (const version of ['4.9.0', '5.0.0']) {
  describe(`studies shared with Optuna ${version}`, () => {
    let python: Python;
    const zone = process.env['TZ'];
    before(async function () {
      python = await needsPython(this, `optuna-storages-${version}`, storagesOf(version));
      // Far from UTC, so that a date in the wrong zone shows.
      process.env['TZ'] = 'Asia/Tokyo';
    });
    after(() => {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    });

    for (const name of ['sqlite', 'postgresql', 'mysql', 'journal']) {
      describe(name, () => {
        let place: Place;
        const pythonUrl = () =>
          place.url.replace('postgresql:', 'postgresql+psycopg2:').replace('mysql:', 'mysql+pymysql:');
        const run = (command: string, ...args: string[]) =>
          python.text(script, [command, pythonUrl(), ...args]);
        const json = async (command: string, ...args: string[]) =>
          JSON.parse(await run(command, ...args)) as Dump;
        before(async function () {
          place = await needsPlace(this, name);
        });
        after(() => place?.remove());

        it('made there are read here, continued on both sides, and read there', async () => {
          await run('create', 'theirs');
          const study = await loadStudy({ storage: place.url, studyName: 'theirs', sampler: sampler() });
          assert.deepEqual(
            [await study.userAttrs(), await study.metricNames()],
            [{ who: 'optuna' }, ['loss']],
          );
          const states = (await study.trials()).map(({ state }) => state);
          assert.deepEqual(states, ['COMPLETE', 'COMPLETE', 'PRUNED', 'FAIL', 'RUNNING']);
          await assertSame(study, await json('dump', 'theirs'));
          await goOn(study, 5);
          await assertSame(study, await json('continue', 'theirs', '4'));
          await goOn(study, 2);
          const dump = await json('dump', 'theirs');
          await assertSame(study, dump);
          const from = dump.trials.map(({ userAttrs }) => userAttrs['from']).filter(Boolean);
          assert.deepEqual(
            [
              from.filter((side) => side === 'optuna').length,
              from.filter((side) => side === 'millrace').length,
            ],
            [4, 7],
          );
          await study.close();
        });

        it('made here are read there, continued on both sides, and read here', async function () {
          // Optuna 4.9 takes the UTC dates of a database that says it is 5.0's for local ones.
          if (version === '4.9.0' && name !== 'journal') process.env['TZ'] = 'UTC';
          const study = await create(place.url, 'ours');
          const dump = await json('dump', 'ours');
          await assertSame(study, dump);
          assert.deepEqual(
            [dump.directions, dump.userAttrs, dump.metricNames],
            [['minimize'], { who: 'millrace' }, ['loss']],
          );
          assert.deepEqual(dump.trials[0]!.types, {
            x: 'float',
            grid: 'float',
            rate: 'float',
            n: 'int',
            even: 'int',
            kind: 'NoneType',
          });
          await assertSame(study, await json('continue', 'ours', '5'));
          const queued = (await study.trials())[4]!;
          assert.deepEqual([queued.state, queued.params['x'], queued.params['kind']], ['COMPLETE', 3, true]);
          await goOn(study, 5);
          await assertSame(study, await json('continue', 'ours', '2'));
          await study.close();
          process.env['TZ'] = 'Asia/Tokyo';
        });
      });
    }
  });
}
