import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatMap, defer, finalize, lastValueFrom, of, take, toArray } from 'rxjs';
import { concatLease } from '../../operators/concat-lease.js';
import { fromFork, keepFork } from '../../operators/fork.js';
import { prefetch } from '../../operators/prefetch.js';
import { prune } from '../../operators/prune.js';
import { report } from '../../operators/report.js';
import { trainStep } from '../../operators/train-step.js';
import { trials } from '../../operators/trials.js';
import { validate } from '../../operators/validate.js';
import type { BatchPlan } from '../../src/data/types.js';
import type { Event } from '../../src/events/event.js';
import { createStudy } from '../../src/study/create-study.js';
import { HyperbandPruner } from '../../src/study/pruners/hyperband.js';
import { GridSampler } from '../../src/study/samplers/grid.js';
import { type ForkPoints, forkPoints } from '../../src/train/fork-points.js';
import { pastOf } from '../../src/train/past.js';
import { constant } from '../../src/train/schedules/constant.js';
import { plateau } from '../../src/train/schedules/plateau.js';
import { trapezoid } from '../../src/train/schedules/trapezoid.js';
import { free, type TinyRun, tinyBatch, tinyPairs, tinyPlans, tinyRun } from '../train/tiny.js';

const PAIRS = tinyPairs(5);
/** Batches of two. */
const STEPS = 3;
const load = (plan: BatchPlan) => of(tinyBatch(plan));

type Options = NonNullable<Parameters<typeof tinyRun>[0]>;

/** A training of the tiny model, with what it emitted and made of its weights. */
function training(run: TinyRun, points?: ForkPoints, kind: unknown = 'tiny') {
  const fork = points && { points, kind };
  const scoring = () => prefetch(tinyPlans({ epochs: 1 }), load, { ahead: 1 });
  const trained$ = prefetch(run.plans(PAIRS), load, { ahead: 1 }).pipe(
    concatLease((batch$) => {
      const scored$ = batch$.pipe(trainStep(run), validate(run, scoring));
      return fork ? scored$.pipe(keepFork(run, fork)) : scored$;
    }),
  );
  return fork ? trained$.pipe(fromFork(run, fork)) : trained$;
}

const weightsOf = (run: TinyRun) =>
  run.model.parameters.changing().map(({ name, value }) => [name, [...value.dataSync()]]);

async function trained(options: Options, points?: ForkPoints) {
  const run = tinyRun(options);
  const events = await lastValueFrom(training(run, points).pipe(toArray()));
  const weights = weightsOf(run);
  free(run);
  return { events, weights, scores: scoresOf(events), steps: stepsOf(events) };
}

const stepsOf = (events: readonly Event[]) =>
  events.flatMap((event) => (event.type === 'step' ? [event.step] : []));
const scoresOf = (events: readonly Event[]) =>
  events.flatMap((event) => (event.type === 'validation' ? [[event.epoch, event.scores]] : []));

describe('fork', () => {
  let dir: string;
  let points: ForkPoints;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    points = forkPoints(join(dir, 'forks'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const frozen = (epochs: number, rate = 0.05): Options => ({
    frozenSteps: epochs * STEPS,
    learningRate: { adapter: rate, head: 0.05 },
  });

  it('trains once what two runs have in common, and ends with the weights and scores of a run alone', async () => {
    const first = await trained(frozen(1), points);
    const alone = await trained(frozen(2, 0.01));
    const forked = await trained(frozen(2, 0.01), points);
    assert.equal(first.steps.length, 9);
    assert.deepEqual(forked.steps, [4, 5, 6, 7, 8, 9], 'the first epoch moves the head alone in both');
    assert.deepEqual(forked.weights, alone.weights);
    assert.deepEqual(forked.scores, alone.scores);
    assert.notDeepEqual(forked.weights, first.weights);
    assert.deepEqual(points.steps, { trained: 15, shared: 3 });
  });

  it('goes on from a shorter run, and makes no step of a run that was made', async () => {
    const options: Options = { epochs: 2 };
    await trained(options, points);
    const again = await trained(options, points);
    assert.deepEqual(again.steps, []);
    assert.equal(again.scores.length, 2);
    const longer = await trained({ epochs: 4 }, points);
    assert.deepEqual(longer.steps, [7, 8, 9, 10, 11, 12]);
    assert.deepEqual(longer.weights, (await trained({ epochs: 4 })).weights);
  });

  it('goes on bit for bit where a run was stopped', async () => {
    const run = tinyRun({ average: 0.9 });
    await lastValueFrom(training(run, points).pipe(take(7)));
    free(run);
    const rest = await trained({ average: 0.9 }, points);
    assert.deepEqual(rest.steps, [4, 5, 6, 7, 8, 9]);
    assert.deepEqual(rest.weights, (await trained({ average: 0.9 })).weights);
  });

  it('shares nothing between runs that differ in a rate, a seed, an average or a kind', async () => {
    const others: Options[] = [
      { learningRate: 0.04 },
      { seed: 43 },
      { average: 0.9 },
      { schedule: trapezoid(9, { warmup: 0.5 }) },
      { frozenSteps: 1 },
    ];
    await trained({}, points);
    for (const options of others) assert.equal((await trained(options, points)).steps.length, 9);
    const run = tinyRun();
    run.plans(PAIRS);
    assert.notDeepEqual(pastOf(run, 'tiny'), pastOf(run, 'other'));
    free(run);
  });

  it('knows schedules by their rates: equal as long as these are', () => {
    const pastsOf = (options: Options) => {
      const run = tinyRun({ epochs: 10, ...options });
      run.plans(PAIRS);
      const pasts = pastOf(run, 'tiny');
      free(run);
      return pasts;
    };
    const flat = pastsOf({ schedule: constant() });
    const falling = pastsOf({ schedule: trapezoid(30, { warmup: 0, decay: 0.5 }) });
    // Rates fall from step 15 on, and the step before it is the last with the full one.
    assert.deepEqual(
      flat.map((past, i) => past === falling[i]),
      [...Array(10).keys()].map((epoch) => epoch < 5),
    );
    assert.equal(new Set(flat).size, 10);
  });

  it('digests the past of a run once, however many batches it has', async () => {
    let digests = 0;
    const kind = { toJSON: () => `tiny ${String(++digests > 0)}` };
    const run = tinyRun();
    await lastValueFrom(training(run, points, kind));
    free(run);
    assert.equal(digests, 1);
  });

  it('restores a schedule that follows scores', async () => {
    const following = (): Options => ({
      epochs: 6,
      schedule: plateau({ metric: 'softDice', patience: 0, minDelta: 1, factor: 0.5 }),
    });
    const run = tinyRun(following());
    await lastValueFrom(training(run, points).pipe(take(16)));
    free(run);
    const rest = await trained(following(), points);
    assert(rest.steps[0]! > 3, 'it went on');
    assert.deepEqual(rest.weights, (await trained(following())).weights);
  });

  it('says which point it cannot read, and goes on from the one before', async () => {
    await trained({}, points);
    const folders = readdirSync(points.dir).filter((name) => !name.includes('.'));
    const run = tinyRun();
    run.plans(PAIRS);
    const [, , last] = pastOf(run, 'tiny');
    free(run);
    assert(folders.includes(last!));
    const file = join(points.dir, last!, 'parameters.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    const again = await trained({}, points);
    assert.deepEqual(again.steps, [7, 8, 9]);
    assert.deepEqual(again.weights, (await trained({})).weights);
  });

  it('keeps no more than it may, and trains where it cannot write', async () => {
    const small = forkPoints(join(dir, 'small'), { maxBytes: 1 });
    await trained({}, small);
    assert.equal(readdirSync(small.dir).filter((name) => !name.includes('.')).length, 1);
    writeFileSync(join(dir, 'file'), '');
    const nowhere = forkPoints(join(dir, 'file'));
    assert.equal((await trained({}, nowhere)).steps.length, 9);
  });

  it('a Hyperband study of 27 trials makes at most 0.6 of the steps, with the same trials and the same best', async () => {
    const space = { rate: [0.2, 0.05, 0.01], head: [0.1, 0.03, 0.01], frozen: [2, 4, 7] };
    const epochs = 9;
    const search = async (shared?: ForkPoints) => {
      const study = await createStudy({
        storage: 'memory://',
        studyName: 'brackets go by name',
        direction: 'maximize',
        sampler: new GridSampler(space, { seed: 1 }),
        pruner: new HyperbandPruner({ minResource: 1, maxResource: epochs, reductionFactor: 3 }),
      });
      const events = await lastValueFrom(
        trials(study, 27).pipe(
          concatMap((trial) =>
            defer(() => {
              const [rate, head, frozen] = (['rate', 'head', 'frozen'] as const).map((name) =>
                trial.suggestCategorical(name, space[name]),
              );
              const run = tinyRun({
                epochs,
                frozenSteps: frozen! * STEPS,
                learningRate: { adapter: rate!, head: head! },
              });
              return training(run, shared).pipe(finalize(() => free(run)));
            }).pipe(report(trial, 'softDice'), prune(trial)),
          ),
          toArray(),
        ),
      );
      const ended = (await study.trials()).map(({ number, state, values, params, intermediateValues }) => ({
        number,
        state,
        values,
        params,
        reports: [...intermediateValues],
      }));
      const best = (await study.bestTrial()).number;
      return { ended, best, steps: stepsOf(events).length };
    };
    const alone = await search();
    const forked = await search(points);
    assert.deepEqual(forked.ended, alone.ended);
    assert.equal(forked.best, alone.best);
    assert(alone.ended.some(({ state }) => state === 'PRUNED'));
    assert(
      forked.steps <= 0.6 * alone.steps,
      `${forked.steps} steps; each trial by itself, without ever starting over, ${alone.steps}`,
    );
  });
});
