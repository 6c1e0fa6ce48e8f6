import type { StudyView } from './contracts/study-view.js';
import type { Storage, StudyRecord } from './storage/storage.js';
import type { TrialRecord } from './storage/trial-record.js';
import type { StudyAttributes } from './study-attributes.js';
import type { Distribution } from './trials/distribution.js';
import {
  type Direction,
  type FrozenTrial,
  isFinished,
  type Json,
  type TrialState,
} from './trials/frozen-trial.js';
import { checkCompatible, sameDistribution } from './trials/same-distribution.js';

/** Events that samplers and pruners cause, beside those of trials. */
export interface CacheEvents {
  stopped(): void;
  /** A sampler or pruner set a system attribute of a trial that runs in this process. */
  noted(trial: FrozenTrial, key: string, value: Json): void;
  warned(code: string, message: string): void;
}

/**
 * This process's copy of a study: each finished trial once, and the others as of the last refresh.
 *
 * A refresh costs what is new: the heads of later trials, and whole trials only where they are not known to have
 * finished. Trials that run in this process are not read back while they run.
 */
export class StudyCache implements StudyView {
  readonly studyName: string;
  readonly directions: readonly Direction[];
  readonly finished: FrozenTrial[] = [];
  #completedOrPruned = 0;
  #active: TrialRecord[] = [];
  readonly #byNumber: FrozenTrial[] = [];
  /** The ids of the trials that run in this process. */
  readonly #running = new Set<number>();
  /** The ids in `finished`; a state alone does not tell, since memory storages share their objects. */
  readonly #finishedIds = new Set<number>();
  readonly #distributions = new Map<string, Distribution>();
  /** The highest trial id that heads were read up to. */
  #lastSeen = -1;
  #refreshing: Promise<void> = Promise.resolve();

  constructor(
    private readonly storage: Storage,
    private readonly study: StudyRecord,
    private readonly attributes: StudyAttributes,
    private readonly events: CacheEvents,
  ) {
    this.studyName = study.name;
    this.directions = study.directions;
  }

  /** How many of `finished` are COMPLETE or PRUNED. */
  get ended(): number {
    return this.#completedOrPruned;
  }

  get active(): readonly FrozenTrial[] {
    return this.#active;
  }

  get userAttrs(): Readonly<Record<string, Json>> {
    return this.attributes.user;
  }

  get systemAttrs(): Readonly<Record<string, Json>> {
    return this.attributes.system;
  }

  trials(states?: readonly TrialState[]): readonly FrozenTrial[] {
    return this.#byNumber.filter(({ state }) => !states || states.includes(state));
  }

  trial(number: number): FrozenTrial | undefined {
    return this.#byNumber[number];
  }

  setSystemAttr(key: string, value: Json): void {
    this.attributes.setSystem(key, value);
  }

  setTrialSystemAttr(trial: FrozenTrial, key: string, value: Json): void {
    this.events.noted(trial, key, value);
  }

  warn(code: string, message: string): void {
    this.events.warned(code, message);
  }

  stop(): void {
    this.events.stopped();
  }

  /** Whether the trial runs in this process. */
  owns(trial: FrozenTrial): boolean {
    return this.#running.has(trial.id);
  }

  /**
   * The study's own object for this distribution if it knows an equal one, otherwise the given one.
   *
   * @throws UserError when the study knows the name with another type, log or choices.
   */
  known(name: string, distribution: Distribution): Distribution {
    const before = this.#distributions.get(name);
    if (!before) {
      this.#distributions.set(name, distribution);
      return distribution;
    }
    checkCompatible(name, before, distribution);
    return sameDistribution(before, distribution) ? before : distribution;
  }

  /** Adds a trial that begins to run in this process. */
  adopt(trial: TrialRecord): void {
    this.#running.add(trial.id);
    this.#put(trial);
  }

  /** Files a trial of this process that has ended, unless a refresh read its end before. */
  end(trial: TrialRecord): void {
    this.#running.delete(trial.id);
    if (!this.#finishedIds.has(trial.id)) this.#put(trial);
  }

  /** Reads what is new. Calls queue up, so that each sees all that was stored before it was made. */
  refresh(): Promise<void> {
    const next = this.#refreshing.then(() => this.#refresh());
    this.#refreshing = next.catch(() => {});
    return next;
  }

  async #refresh(): Promise<void> {
    const active = this.#active.map(({ id }) => id);
    const heads = await this.storage.readHeads(this.study.id, this.#lastSeen, active);
    const changed: number[] = [];
    let lastSeen = this.#lastSeen;
    for (const { id, number, state } of heads) {
      lastSeen = Math.max(lastSeen, id);
      const before = this.#byNumber[number];
      const unchanged =
        before &&
        !isFinished(state) &&
        (this.#running.has(id) || (state === 'WAITING' && before.state === state));
      if (!this.#finishedIds.has(id) && !unchanged) changed.push(id);
    }
    const trials = changed.length > 0 ? await this.storage.readTrials(changed) : [];
    for (const trial of trials) {
      if (this.#finishedIds.has(trial.id) || (this.#running.has(trial.id) && !isFinished(trial.state)))
        continue;
      this.#put(trial as TrialRecord);
    }
    this.#lastSeen = lastSeen;
  }

  #put(trial: TrialRecord): void {
    this.#byNumber[trial.number] = trial;
    for (const name of Object.keys(trial.distributions)) {
      if (!this.#distributions.has(name)) this.#distributions.set(name, trial.distributions[name]!);
    }
    const place = this.#active.findIndex(({ id }) => id === trial.id);
    if (isFinished(trial.state)) {
      if (place >= 0) this.#active.splice(place, 1);
      this.#running.delete(trial.id);
      this.#finishedIds.add(trial.id);
      this.finished.push(trial);
      if (trial.state !== 'FAIL') this.#completedOrPruned++;
    } else if (place >= 0) this.#active[place] = trial;
    else {
      let at = this.#active.length;
      while (at > 0 && this.#active[at - 1]!.number > trial.number) at--;
      this.#active.splice(at, 0, trial);
    }
  }
}
