import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { createStudy } from '../../src/study/create-study.js';
import { MemoryStorage } from '../../src/study/storage/memory-storage.js';
import type { TrialEnd } from '../../src/study/storage/storage.js';
import { newTrialRecord } from '../../src/study/storage/trial-record.js';
import { middle } from './sampler.js';

/** A storage that hands out copies, as a database does, and answers `finishTrial` only when it is let through. */
class LateStorage extends MemoryStorage {
  release = () => {};
  readonly #gate = new Promise<void>((open) => {
    this.release = open;
  });

  override async createTrial(study: number) {
    const trial = await super.createTrial(study);
    return newTrialRecord(trial.id, trial.number, trial);
  }

  override async finishTrial(trial: number, end: TrialEnd): Promise<boolean> {
    const finished = await super.finishTrial(trial, end);
    await this.#gate;
    return finished;
  }
}

/** A storage that refuses what is written to a trial, when it is let through. */
class RefusingStorage extends MemoryStorage {
  refuse = () => {};
  readonly #gate = new Promise<void>((open) => {
    this.refuse = open;
  });

  override async writeTrial(): Promise<void> {
    await this.#gate;
    throw new Error('refused');
  }
}

describe('study.tell', () => {
  it('answers with the end also where a refresh reads it before the storage has answered', async () => {
    const storage = new LateStorage();
    const study = await createStudy({ storage, sampler: middle });
    const trial = await study.ask();
    const stored = study.tell(trial, 0.5);
    assert.equal(trial.told, true, 'at once');
    await turn();
    assert.deepEqual(
      (await study.trials()).map(({ state }) => state),
      ['COMPLETE'],
    );
    storage.release();
    const { state, values } = await stored;
    assert.deepEqual([state, values], ['COMPLETE', [0.5]]);
    assert.equal((await study.trials(['COMPLETE'])).length, 1);
    assert.equal(study.cache.ended, 1);
  });

  it('makes FAIL a trial whose write behind is refused while it is told', async () => {
    const storage = new RefusingStorage();
    const study = await createStudy({ storage, sampler: middle, warn: () => {} });
    const trial = await study.ask();
    trial.setUserAttr('note', 1);
    await turn();
    const stored = study.tell(trial, 0.5);
    storage.refuse();
    const { state, systemAttrs } = await stored;
    assert.equal(state, 'FAIL');
    assert.match(String(systemAttrs.fail_reason), /could not be stored: refused/);
  });
});
