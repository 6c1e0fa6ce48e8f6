import assert from 'node:assert/strict';
import { concat, from, lastValueFrom, mergeMap, NEVER, throwError, toArray } from 'rxjs';
import { prune } from '../../operators/prune.js';
import { report } from '../../operators/report.js';
import { trials } from '../../operators/trials.js';
import type { Event } from '../../src/events/event.js';
import { trialLogs } from '../../src/experiment/trial-logs.js';
import { loggers } from '../../src/loggers/loggers.js';
import { mlflow } from '../../src/loggers/mlflow.js';
import type { Pruner } from '../../src/study/contracts/pruner.js';
import { createStudy } from '../../src/study/create-study.js';
import { samplers } from '../../src/study/samplers/samplers.js';
import type { Trial } from '../../src/study/trial.js';
import { FakeMlflow } from '../loggers/fake-mlflow.js';
import { withFolder } from '../loggers/log.js';
import { sampleRun } from '../loggers/sample-run.js';

describe('trialLogs', () => {
  const server = new FakeMlflow();
  before(async () => {
    await server.start();
    loggers.register('fake-mlflow', mlflow({ uri: server.uri, timeout: 0.5, pause: 1 }));
    loggers.register('fails', () => ({ name: 'fails', next: () => Promise.reject(new Error('disk full')) }));
  });
  after(() => server.stop());

  const dice = (event: Event) =>
    event.type === 'validation' && event.split === 'validation'
      ? (event.scores['softDice'] as number)
      : undefined;
  const second: Pruner = { prune: (_study, { number }) => number === 1 };
  const openStudy = (studyName: string, pruner?: Pruner) =>
    createStudy({
      studyName,
      direction: 'maximize',
      sampler: samplers.make('random', { seed: 1 }),
      ...(pruner && { pruner }),
    });

  it('makes each trial a run of the study, which has their values and ends with them', () =>
    withFolder(async (dir) => {
      const study = await openStudy('pets', second);
      const logged = trialLogs(dir, ['fake-mlflow']);
      const training = (trial: Trial) =>
        from(sampleRun()).pipe(report(trial, dice), prune(trial), logged(trial));
      await lastValueFrom(trials(study, 3).pipe(mergeMap(training, 1)));
      const [parent, ...children] = server.runs;
      assert.deepEqual(
        children.map(({ name, status }) => [name, status]),
        [
          ['pets_0', 'FINISHED'],
          ['pets_1', 'KILLED'],
          ['pets_2', 'FINISHED'],
        ],
      );
      for (const { tags } of children) assert.equal(tags.get('mlflow.parentRunId'), parent!.id);
      assert.deepEqual([parent!.name, parent!.status], ['pets', 'FINISHED']);
      const best = 0.5 + 3 / 10;
      const values = parent!.points.map(({ key, step, value }) => [key, step, value]);
      assert.deepEqual(values, [
        ['value', 0, best],
        ['value', 1, 0.6],
        ['value', 2, best],
      ]);
      assert.equal(children[0]!.params.get('rank'), '4');
      await study.close();
    }));

  it('says of the study how its last trial failed or was stopped', () =>
    withFolder(async (dir) => {
      const study = await openStudy('broken');
      const parent = () => server.runs.find(({ name }) => name === 'broken')!;
      const logged = trialLogs(dir, ['fake-mlflow']);
      const events = sampleRun().slice(0, 3);
      const failing = (trial: Trial) =>
        concat(
          from(events),
          throwError(() => new Error('burst')),
        ).pipe(report(trial, dice), logged(trial));
      await assert.rejects(lastValueFrom(trials(study, 1).pipe(mergeMap(failing, 1))), /burst/);
      const child = server.runs.find(({ name }) => name === 'broken_0')!;
      assert.equal(child.status, 'FAILED');
      const stopped = (trial: Trial) => concat(from(events), NEVER).pipe(report(trial, dice), logged(trial));
      const subscription = trials(study, 1).pipe(mergeMap(stopped, 1)).subscribe();
      const child1 = () => server.runs.find(({ name }) => name === 'broken_1');
      while (!child1()) await new Promise((resolve) => setTimeout(resolve, 5));
      subscription.unsubscribe();
      while (parent().status !== 'KILLED') await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(child1()!.status, 'KILLED');
      await study.close();
    }));

  it('costs a search one warning where a logger fails', () =>
    withFolder(async (dir) => {
      const study = await openStudy('warned');
      const logged = trialLogs(dir, ['fails']);
      const training = (trial: Trial) => from(sampleRun()).pipe(report(trial, dice), logged(trial));
      const events = await lastValueFrom(trials(study, 3).pipe(mergeMap(training, 1), toArray()));
      const warnings = events.filter((event) => event.type === 'warning');
      assert.deepEqual(
        warnings.map(({ message }) => message),
        ['fails no longer logs: disk full'],
      );
      await study.close();
    }));
});
