import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { retryHistory } from '../../src/study/retry-trial.js';
import { TrialEndedError } from '../../src/study/trials/trial-ended-error.js';
import { stopHeart } from '../study/databases.js';
import { overPlaces } from '../study/over-places.js';

const BEATING = ['sqlite', 'postgresql', 'mysql'];

overPlaces(
  'heartbeats of a study',
  ({ place, create, again }) => {
    it('fails the stale trials of dead processes and retries them once, with their history', async () => {
      const heart = { heartbeatInterval: 60, maxRetries: 2 };
      const a = await create(heart);
      const [b, dead] = [await again(heart), await again(heart)];
      const alive = await a.ask();
      // One that beats no more is as good as dead.
      const lost = await dead.ask();
      lost.suggestFloat('x', 0, 4);
      await lost.report(0.5, 1);
      lost.setUserAttr('by', 'dead');
      await lost.flush();
      await stopHeart(place(), lost.record.id);
      await Promise.all([a.failStaleTrials(), b.failStaleTrials()]);
      const fresh = await b.ask();
      const claimed = await a.ask();
      assert.deepEqual(
        [alive, lost, claimed, fresh].map(({ number }) => number),
        [0, 1, 2, 3],
      );
      assert.deepEqual(claimed.systemAttrs, { failed_trial: 1, retry_history: [1] });
      assert.deepEqual(
        [claimed.params, claimed.userAttrs, claimed.record.intermediateValues.size],
        [{ x: 2 }, { by: 'dead' }, 0],
      );
      assert.equal(claimed.suggestFloat('x', 0, 4), 2);
      const states = (await b.trials()).map(({ state }) => state);
      assert.deepEqual(states, ['RUNNING', 'FAIL', 'RUNNING', 'RUNNING']);
      assert.match(String((await b.trials())[1]!.systemAttrs.fail_reason), /not heard of for 120 s/);
      // The dead one was only slow: it hears that it lost its trial.
      await assert.rejects(lost.report(0.6, 2), /has ended and cannot change/);
      await assert.rejects(dead.tell(lost, 1), TrialEndedError);
    });

    it('keeps a trial fresh by its beats', async () => {
      const study = await create({ heartbeatInterval: 0.1, gracePeriod: 3600 });
      const { record } = await study.ask();
      await stopHeart(place(), record.id);
      while ((await study.storage.staleTrials!([record.id])).length > 0) await pause(50);
    });

    it('retries no more often than it may, and keeps reports where asked to', async () => {
      const dying = {
        heartbeatInterval: 600,
        gracePeriod: 600,
        maxRetries: 1,
        inheritIntermediateValues: true,
      };
      const study = await create(dying);
      const first = await study.ask();
      await first.report(1, 0);
      await stopHeart(place(), first.record.id);
      const other = await again(dying);
      await other.tell(await other.ask(), 1);
      const retry = await other.ask();
      assert.deepEqual(
        [retry.number, retryHistory(retry.record), [...retry.record.intermediateValues]],
        [1, [0], [[0, 1]]],
      );
      await stopHeart(place(), retry.record.id);
      await study.failStaleTrials();
      assert.deepEqual(
        (await study.trials()).map(({ state }) => state),
        ['FAIL', 'FAIL', 'COMPLETE'],
      );
    });
  },
  BEATING,
);
