import { isRetry } from './retry-trial.js';
import { failStale } from './stale-trials.js';
import type { TrialLimit } from './storage/storage.js';
import type { TrialRecord } from './storage/trial-record.js';
import type { StudyCore } from './study-core.js';
import { Trial } from './trial.js';
import type { Distribution } from './trials/distribution.js';
import { reasonOf } from './trials/fail-reason.js';
import { claimWaiting, isNext } from './waiting-trials.js';

type FixedDistributions = Readonly<Record<string, Distribution>>;

/** States that count toward a total: a trial that FAILed is replaced by another one. */
export const NOT_FAILED = ['COMPLETE', 'PRUNED', 'RUNNING', 'WAITING'] as const;

/** Asks for the next trials of a study: see `Study.ask` and `Study.askWithin`. */
export class Asking {
  /** Serialises asks within a total: each waits until the trial before it runs. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly core: StudyCore) {}

  async next(fixed: FixedDistributions = {}): Promise<Trial> {
    const { study, id } = this.core;
    await this.#prepare();
    const record = (await this.#claimNext()) ?? (await study.storage.createTrial(id));
    return this.#begin(record as TrialRecord, fixed);
  }

  nextWithin(total: number): Promise<Trial | null> {
    const next = this.#last.then(() => this.#nextWithin(total));
    this.#last = next.catch(() => null);
    return next;
  }

  async #nextWithin(total: number): Promise<Trial | null> {
    const { study, id, running } = this.core;
    const { storage, cache } = study;
    await this.#prepare();
    if (cache.ended >= total) return null;
    const limit: TrialLimit = storage.heartbeat
      ? { states: NOT_FAILED, most: total }
      : { states: ['COMPLETE', 'PRUNED'], most: total - running.size };
    const record =
      (await this.#claimNext()) ??
      (await storage.createTrialWithin(id, limit)) ??
      (await claimWaiting(storage, cache, isRetry));
    return record ? this.#begin(record as TrialRecord) : null;
  }

  async #prepare(): Promise<void> {
    const { study, attributes } = this.core;
    await attributes.write();
    await study.cache.refresh();
    await failStale(this.core);
    if (study.sampler.usesStudyAttrs) await attributes.refresh();
  }

  #claimNext(): Promise<TrialRecord | undefined> {
    const { storage, cache } = this.core.study;
    return claimWaiting(storage, cache, (trial) => isNext(trial, cache));
  }

  async #begin(record: TrialRecord, fixed: FixedDistributions = {}): Promise<Trial> {
    const { study, running } = this.core;
    study.cache.adopt(record);
    const trial = new Trial(study, record);
    running.begin(trial);
    try {
      trial.propose();
      for (const [name, distribution] of Object.entries(fixed)) trial.suggest(name, distribution);
    } catch (error) {
      await study.tell(trial, null, { state: 'FAIL', reason: `the sampler failed: ${reasonOf(error)}` });
      throw error;
    }
    return trial;
  }
}
