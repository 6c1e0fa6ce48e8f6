import { checkedJson } from './checks/checked-json.js';
import { checkName } from './checks/checked-name.js';
import type { StudyView } from './contracts/study-view.js';
import type { Storage, StudyRecord } from './storage/storage.js';
import { endRecord, type TrialRecord } from './storage/trial-record.js';
import type { Distribution } from './trials/distribution.js';
import {
  type Direction,
  type FrozenTrial,
  isFinished,
  type Json,
  type TrialState,
} from './trials/frozen-trial.js';
import { checkCompatible, sameDistribution } from './trials/same-distribution.js';
import { setOwn } from './trials/set-own.js';

/**
 * What this process knows of a study: each finished trial once, and of the rest what the last refresh read.
 *
 * A refresh costs what is new: heads of later trials, and whole trials only where they are not known to be
 * finished. The trials that run in this process are its own, and are not read back while they run.
 */
export class StudyCache implements StudyView {
  readonly studyName: string;
  readonly directions: readonly Direction[];
  readonly finished: FrozenTrial[] = [];
  /** How many of `finished` are COMPLETE or PRUNED. */
  ended = 0;
  #active: TrialRecord[] = [];
  readonly #byNumber: FrozenTrial[] = [];
  readonly #own = new Set<number>();
  /** The ids in `finished`; a state alone does not tell, since memory storages share their objects. */
  readonly #ended = new Set<number>();
  readonly #distributions = new Map<string, Distribution>();
  /** The highest trial id that heads were read up to. */
  #seen = -1;
  #refreshing: Promise<void> = Promise.resolve();
  #userAttrs: Record<string, Json>;
  #systemAttrs: Record<string, Json>;
  readonly #unwritten = new Map<string, Json>();

  constructor(
    private readonly storage: Storage,
    private readonly study: StudyRecord,
    private readonly events: {
      stopped(): void;
      /** A sampler or pruner noted something on a trial that runs here. */
      noted(trial: FrozenTrial, key: string, value: Json): void;
      warned(code: string, message: string): void;
    },
  ) {
    this.studyName = study.name;
    this.directions = study.directions;
    this.#userAttrs = { ...study.userAttrs };
    this.#systemAttrs = { ...study.systemAttrs };
  }

  get active(): readonly FrozenTrial[] {
    return this.#active;
  }

  get userAttrs(): Readonly<Record<string, Json>> {
    return this.#userAttrs;
  }

  get systemAttrs(): Readonly<Record<string, Json>> {
    return this.#systemAttrs;
  }

  trials(states?: readonly TrialState[]): readonly FrozenTrial[] {
    return this.#byNumber.filter(({ state }) => !states || states.includes(state));
  }

  trial(number: number): FrozenTrial | undefined {
    return this.#byNumber[number];
  }

  /** @throws UserError when the value is not JSON, or the storage cannot hold it or its key. */
  setSystemAttr(key: string, value: Json): void {
    const { limits } = this.storage;
    checkName('system attribute of the study', key, limits, this.#systemAttrs);
    const json = checkedJson(`system attribute "${key}" of the study`, value, limits);
    setOwn(this.#systemAttrs, key, json);
    this.#unwritten.set(key, json);
  }

  async setUserAttr(key: string, value: Json): Promise<void> {
    const { limits } = this.storage;
    checkName('user attribute of the study', key, limits, this.#userAttrs);
    const json = checkedJson(`user attribute "${key}" of the study`, value, limits);
    await this.storage.setStudyAttr(this.study.id, 'user', key, json);
    setOwn(this.#userAttrs, key, json);
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

  /** Whether this process runs the trial. */
  owns(trial: FrozenTrial): boolean {
    return this.#own.has(trial.id);
  }

  /**
   * The distribution as the study knows this name, where it is the same, otherwise the one asked for.
   *
   * @throws UserError when the name was something else before.
   */
  known(name: string, asked: Distribution): Distribution {
    const known = this.#distributions.get(name);
    if (!known) {
      this.#distributions.set(name, asked);
      return asked;
    }
    checkCompatible(name, known, asked);
    return sameDistribution(known, asked) ? known : asked;
  }

  /** A trial that this process has begun to run. */
  adopt(trial: TrialRecord): void {
    this.#own.add(trial.id);
    this.#put(trial);
  }

  /** Ends a trial here, as the storage ended it. */
  end(trial: TrialRecord, state: TrialState, values: readonly number[] | null, time: number): void {
    this.#own.delete(trial.id);
    if (this.#ended.has(trial.id)) return;
    endRecord(trial, state, values, time);
    this.#put(trial);
  }

  /** Reads what is new. Calls queue up, so that each sees all that was stored before it was made. */
  refresh(): Promise<void> {
    const next = this.#refreshing.then(() => this.#refresh());
    this.#refreshing = next.catch(() => {});
    return next;
  }

  async refreshAttrs(): Promise<void> {
    const record = await this.storage.findStudy(this.studyName);
    if (!record) return;
    this.#userAttrs = { ...record.userAttrs };
    this.#systemAttrs = { ...record.systemAttrs, ...Object.fromEntries(this.#unwritten) };
  }

  /** Stores the system attributes that samplers set. */
  async writeAttrs(): Promise<void> {
    for (const [key, value] of this.#unwritten) {
      this.#unwritten.delete(key);
      await this.storage.setStudyAttr(this.study.id, 'system', key, value);
    }
  }

  async #refresh(): Promise<void> {
    const open = this.#active.map(({ id }) => id);
    const heads = await this.storage.readHeads(this.study.id, this.#seen, open);
    const wanted: number[] = [];
    let seen = this.#seen;
    for (const { id, number, state } of heads) {
      seen = Math.max(seen, id);
      const known = this.#byNumber[number];
      const unchanged =
        known && !isFinished(state) && (this.#own.has(id) || (state === 'WAITING' && known.state === state));
      if (!this.#ended.has(id) && !unchanged) wanted.push(id);
    }
    const trials = wanted.length > 0 ? await this.storage.readTrials(wanted) : [];
    for (const trial of trials) {
      if (this.#ended.has(trial.id) || (this.#own.has(trial.id) && !isFinished(trial.state))) continue;
      this.#put(trial as TrialRecord);
    }
    this.#seen = seen;
  }

  #put(trial: TrialRecord): void {
    this.#byNumber[trial.number] = trial;
    for (const name of Object.keys(trial.distributions)) {
      if (!this.#distributions.has(name)) this.#distributions.set(name, trial.distributions[name]!);
    }
    const place = this.#active.findIndex(({ id }) => id === trial.id);
    if (isFinished(trial.state)) {
      if (place >= 0) this.#active.splice(place, 1);
      this.#own.delete(trial.id);
      this.#ended.add(trial.id);
      this.finished.push(trial);
      if (trial.state !== 'FAIL') this.ended++;
    } else if (place >= 0) this.#active[place] = trial;
    else {
      let at = this.#active.length;
      while (at > 0 && this.#active[at - 1]!.number > trial.number) at--;
      this.#active.splice(at, 0, trial);
    }
  }
}
