import assert from 'node:assert/strict';
import { copyStudy, createStudy, deleteStudy, studyNames } from '../../src/study/create-study.js';
import { floatDistribution } from '../../src/study/trials/make-distribution.js';
import { TrialEndedError } from '../../src/study/trials/trial-ended-error.js';
import { overPlaces } from '../study/over-places.js';

overPlaces('study', ({ name, warnings, url, options, create, again, keep }) => {
  it('stores what asking, suggesting, reporting and telling say, for others to see', async () => {
    const study = await create({ direction: 'maximize' });
    const trial = await study.ask();
    assert.equal(trial.suggestFloat('x', 0, 1), 0.5);
    assert.equal(trial.suggestFloat('rate', 1e-3, 1e-1, { log: true }), 0.0505);
    assert.equal(trial.suggestFloat('s', 0, 1, { step: 0.25 }), 0.5);
    assert.equal(trial.suggestInt('n', 1, 9, { step: 2 }), 5);
    assert.equal(trial.suggestCategorical('c', ['a', null, true]), 'a');
    assert.equal(trial.suggestFloat('x', 0, 1), 0.5);
    trial.setUserAttr('note', { a: [1] });
    await trial.report(0.25, 0);
    await trial.report(Number.NaN, 5);
    await trial.report(1, 5);
    const stored = await study.tell(trial, 0.75);

    const [seen] = await (await again()).trials();
    assert.deepEqual(
      [seen!.number, seen!.state, seen!.values, seen!.params, seen!.userAttrs],
      [0, 'COMPLETE', [0.75], { x: 0.5, rate: 0.0505, s: 0.5, n: 5, c: 'a' }, { note: { a: [1] } }],
    );
    assert.deepEqual(
      [...seen!.intermediateValues],
      [
        [0, 0.25],
        [5, Number.NaN],
      ],
    );
    assert.deepEqual(
      { ...seen, datetimeStart: 0, datetimeComplete: 0 },
      { ...stored, datetimeStart: 0, datetimeComplete: 0 },
    );
    assert(seen!.datetimeComplete! >= seen!.datetimeStart!);
    assert.deepEqual(warnings, ['report: trial 0: step 5 was reported before; the first value stays']);
  });

  it('lets ranges change, but not type, log or choices', async () => {
    const study = await create();
    const first = await study.ask();
    first.suggestFloat('x', 0, 1);
    first.suggestCategorical('c', ['a', 'b']);
    await study.tell(first, 1);
    for (const each of [study, await again()]) {
      const trial = await each.ask();
      assert.equal(trial.suggestFloat('x', 10, 20), 15);
      for (const wrong of [
        () => trial.suggestFloat('x', 1, 2, { log: true }),
        () => trial.suggestInt('x', 1, 2),
        () => trial.suggestCategorical('x', [1, 2]),
        () => trial.suggestCategorical('c', ['b', 'a']),
        () => trial.suggestCategorical('c', ['a', 'b', 'c']),
      ])
        assert.throws(wrong, { name: 'UserError', message: /^parameter "[xc]": this study knows it as/ });
      await each.tell(trial, 1);
      assert.deepEqual(trial.record.distributions, { x: floatDistribution(10, 20) });
    }
  });

  it('shows a new trial to others at once, and its end', async () => {
    const [study, other] = [await create(), await again()];
    const trial = await study.ask();
    trial.suggestFloat('x', 0, 1);
    await trial.report(3, 1);
    const [running] = await other.trials();
    assert.deepEqual(
      [running!.state, running!.params, [...running!.intermediateValues]],
      ['RUNNING', { x: 0.5 }, [[1, 3]]],
    );
    await study.tell(trial, null, { state: 'PRUNED' });
    const [pruned] = await other.trials(['PRUNED']);
    assert.deepEqual([pruned!.number, pruned!.values], [0, [3]]);
    await assert.rejects(other.bestTrial(), /has no best trial/);
  });

  it('enqueues once where many do as they begin, and again where all has failed', async () => {
    const [study, other] = [await create(), await again()];
    const begin = () =>
      Promise.all([study, other].map((each) => each.enqueueTrial({ x: 0.1 }, { ifEmpty: true })));
    await begin();
    const first = await other.ask();
    await begin();
    assert.equal((await study.trials()).length, 1);
    await other.tell(first, null, { state: 'FAIL' });
    await begin();
    assert.deepEqual(
      (await study.trials()).map(({ state, systemAttrs }) => [state, systemAttrs.fixed_params]),
      ['FAIL', 'WAITING'].map((state) => [state, { x: 0.1 }]),
    );
  });

  it('runs enqueued trials first and once, in order, whoever asks', async () => {
    const [study, other] = [await create(), await again()];
    await study.enqueueTrial({ x: 0.1 }, { userAttrs: { why: 'known' } });
    await study.enqueueTrial({ x: 0.2 });
    await other.enqueueTrial({ x: 0.2 }, { skipIfExists: true });
    const asked = await Promise.all(
      [study, other, study, other].map(async (each) => ({ each, trial: await each.ask() })),
    );
    const xs = asked.map(({ trial }) => trial.suggestFloat('x', 0, 1));
    assert.deepEqual(xs.toSorted(), [0.1, 0.2, 0.5, 0.5]);
    for (const { each, trial } of asked) await each.tell(trial, trial.number);
    const trials = await study.trials();
    assert.deepEqual(
      trials.map(({ number, state }) => [number, state]),
      [0, 1, 2, 3].map((number) => [number, 'COMPLETE']),
    );
    assert.deepEqual(
      [trials[0]!.params, trials[0]!.userAttrs, trials[0]!.systemAttrs],
      [{ x: 0.1 }, { why: 'known' }, { fixed_params: { x: 0.1 } }],
    );
  });

  it('tells a trial of another process by its number, once', async () => {
    const [study, other] = [await create(), await again()];
    const trial = await study.ask();
    assert.equal((await other.tell(0, 4)).state, 'COMPLETE');
    await assert.rejects(study.tell(trial, 5), TrialEndedError);
    assert.deepEqual((await study.bestTrial()).values, [4]);
    await assert.rejects(other.tell(0, 5), /trial 0: expected a RUNNING one, it is COMPLETE/);
    assert.deepEqual((await other.tell(0, 5, { skipIfFinished: true })).values, [4]);
    await assert.rejects(other.tell(9, 5), /has no trial 9/);
  });

  it('keeps attributes of the study, and names of its metrics', async () => {
    const study = await create({ directions: ['minimize', 'maximize'] });
    await study.setUserAttr('data', ['pets']);
    await study.setMetricNames(['loss', 'dice']);
    const other = await again();
    assert.deepEqual(await other.userAttrs(), { data: ['pets'] });
    assert.deepEqual(await other.metricNames(), ['loss', 'dice']);
    await assert.rejects(study.setMetricNames(['one']), /expected 2, got 1/);
  });

  it('finds the Pareto front of several directions', async () => {
    const study = await create({ directions: ['minimize', 'maximize'] });
    for (const values of [
      [1, 1],
      [2, 2],
      [2, 1],
      [1, 1],
      [0, Number.NaN],
      [3, 1.5],
    ])
      await study.tell(await study.ask(), values);
    assert.deepEqual(
      (await (await again()).bestTrials()).map(({ number }) => number),
      [0, 1, 3],
    );
    assert.deepEqual(
      (await study.trials(['FAIL'])).map(({ number }) => number),
      [4],
    );
    await assert.rejects(study.bestTrial(), /expected one objective, got 2/);
    await assert.rejects((await study.ask()).report(1, 1), /expected a study of one objective/);
  });

  it('counts trials over all processes', async () => {
    const [study, other] = [await create(), await again()];
    for (const each of [study, other, study]) await each.tell((await each.askWithin(4))!, 1);
    await study.tell((await study.askWithin(4))!, null, { state: 'FAIL' });
    const asked = await Promise.all([study.askWithin(4), study.askWithin(4)]);
    assert.equal(asked.filter(Boolean).length, 1);
    await study.tell(asked[0]!, 1);
    assert.equal(await other.askWithin(4), null);
    assert.deepEqual(
      (await other.trials()).map(({ state }) => state),
      ['COMPLETE', 'COMPLETE', 'COMPLETE', 'FAIL', 'COMPLETE'],
    );
  });

  if (name === 'memory') return;

  it('copies and deletes studies by name', async () => {
    const study = await create({ direction: 'maximize' });
    await study.setUserAttr('a', 1);
    const trial = await study.ask();
    trial.suggestInt('n', 1, 5);
    await trial.report(2, 1);
    await study.tell(trial, 3);
    const toName = `${study.name}, copied`;
    await copyStudy({ from: url(), fromName: study.name, to: url(), toName });
    assert.deepEqual((await studyNames(url())).slice(-2), [study.name, toName]);
    const copy = await again({ studyName: toName });
    const [original] = await (await again()).trials();
    assert.deepEqual(await copy.trials(), [{ ...original, id: (await copy.trials())[0]!.id }]);
    assert.deepEqual([copy.directions, await copy.userAttrs()], [['maximize'], { a: 1 }]);
    await deleteStudy({ storage: url(), studyName: toName });
    await assert.rejects(
      again({ studyName: toName }),
      /expected a study "study \d+, copied"; it has .*"study \d+"/,
    );
  });

  it('makes one study when many processes create it', async () => {
    const shared = options({ studyName: 'made by many' });
    const made = await Promise.all([1, 2, 3].map(() => createStudy({ ...shared, loadIfExists: true })));
    made.forEach(keep);
    const trials = await Promise.all(made.map((study) => study.ask()));
    assert.deepEqual(trials.map(({ number }) => number).toSorted(), [0, 1, 2]);
    await assert.rejects(createStudy(shared), /exists in/);
  });
});
