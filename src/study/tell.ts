import { UserError } from '../base/errors.js';
import { isChosen, retryOf } from './retry-trial.js';
import type { TrialTemplate } from './storage/storage.js';
import type { TrialRecord } from './storage/trial-record.js';
import type { StudyCore } from './study-core.js';
import type { TellOptions } from './tell-options.js';
import { Trial } from './trial.js';
import { FAIL_REASON, reasonOf, shown } from './trials/fail-reason.js';
import { type FrozenTrial, isFinished } from './trials/frozen-trial.js';
import { type Outcome, outcome } from './trials/outcome.js';
import { TrialEndedError } from './trials/trial-ended-error.js';

/** Ends the trials of a study: see `Study.tell`. */
export class Telling {
  readonly #underWay = new Set<Promise<void>>();

  constructor(private readonly core: StudyCore) {}

  async tell(
    which: Trial | number,
    values: number | readonly number[] | null,
    { state, skipIfFinished = false, reason, retry = false }: TellOptions,
  ): Promise<FrozenTrial> {
    const { study, retries } = this.core;
    // Without waiting, so that a trial which comes as such counts as told at once.
    const trial = which instanceof Trial ? this.#checked(which) : await this.#find(which, skipIfFinished);
    if (!(trial instanceof Trial)) return trial;
    const { record } = trial;
    if (trial.told) {
      if (skipIfFinished) return record;
      throw new TrialEndedError(record, 'to tell');
    }
    const end = outcome(record, study.cache.directions.length, values, state);
    trial.seal();
    if (end.reason) study.warn('objective', `trial ${record.number} is FAIL: ${end.reason}`);
    const template = retry && isChosen(record) ? retryOf(record, retries) : null;
    const why = reason ?? end.reason;
    if (why !== undefined) trial.note(FAIL_REASON, reasonOf(why));
    try {
      study.sampler.afterTrial?.(study.viewFor(record), record, end.state, end.values);
    } finally {
      const storing = this.#store(trial, end, template);
      this.#underWay.add(storing);
      await storing.finally(() => this.#underWay.delete(storing));
    }
    return record;
  }

  /** Waits for the trials that are being told. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  #checked(trial: Trial): Trial {
    if (trial.study !== this.core.study) throw this.#unknown(trial);
    return trial;
  }

  /** The trial of this number, which may run elsewhere; a finished one if it is to be skipped. */
  async #find(which: number, skipIfFinished: boolean): Promise<Trial | FrozenTrial> {
    const { study, running } = this.core;
    if (!Number.isInteger(which)) throw this.#unknown(which);
    const ownTrial = running.get(which);
    if (ownTrial) return ownTrial;
    await study.cache.refresh();
    const record = study.cache.trial(which);
    if (!record) throw new UserError(`study "${study.name}" has no trial ${which}`, { number: which });
    if (isFinished(record.state) && skipIfFinished) return record;
    if (record.state !== 'RUNNING')
      throw new UserError(`trial ${which}: expected a RUNNING one, it is ${record.state}`);
    const trial = new Trial(study, record as TrialRecord);
    running.add(trial);
    return trial;
  }

  #unknown(which: unknown): UserError {
    const { name } = this.core.study;
    return new UserError(`tell: expected a trial of study "${name}" or its number, got ${shown(which)}`);
  }

  async #store(trial: Trial, end: Outcome, template: TrialTemplate | null): Promise<void> {
    const { study, running } = this.core;
    const time = Date.now();
    let { state, values } = end;
    let stored = false;
    try {
      stored = await this.#finish(trial, end, time, template);
    } catch (error) {
      state = 'FAIL';
      values = null;
      stored = await this.#failWithout(trial, time, error);
    } finally {
      running.remove(trial.number);
    }
    if (!stored) throw new TrialEndedError(trial.record, 'to tell');
    trial.end(state, values, time);
    study.cache.end(trial.record);
  }

  async #finish(
    trial: Trial,
    { state, values }: Outcome,
    time: number,
    template: TrialTemplate | null,
  ): Promise<boolean> {
    const { study, id } = this.core;
    const changes = await trial.lastChanges();
    return study.storage.finishTrial(trial.record.id, {
      state,
      values,
      time,
      ...(changes ? { changes } : {}),
      ...(template ? { successor: { study: id, template } } : {}),
    });
  }

  /** Ends a trial whose last changes the storage refused: without them, as stored. */
  async #failWithout(trial: Trial, time: number, error: unknown): Promise<boolean> {
    const { study } = this.core;
    const { id, number } = trial.record;
    const reason = reasonOf(`what it ended with could not be stored: ${reasonOf(error)}`);
    const changes = { systemAttrs: { [FAIL_REASON]: reason } };
    let finished: boolean;
    try {
      finished = await study.storage.finishTrial(id, { state: 'FAIL', values: null, time, changes });
    } catch {
      throw error;
    }
    const [stored] = finished ? await study.storage.readTrials([id]) : [];
    if (stored) trial.replace(stored);
    study.warn('trial', `trial ${number} is FAIL: ${reason}`);
    return finished;
  }
}
