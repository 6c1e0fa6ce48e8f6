import { UserError } from '../base/errors.js';
import { checkedFixed } from './checks/checked-param.js';
import { checkedTemplate } from './checks/checked-template.js';
import type { Pruner } from './contracts/pruner.js';
import type { Sampler } from './contracts/sampler.js';
import type { StudyView } from './contracts/study-view.js';
import { type Objective, type OptimizeOptions, optimize } from './optimize.js';
import { isChosen, isRetry, type RetryOptions, retryOf } from './retry-trial.js';
import {
  FinishedTrialError,
  type Storage,
  type StudyRecord,
  type TrialLimit,
  type TrialTemplate,
} from './storage/storage.js';
import type { TrialRecord } from './storage/trial-record.js';
import { StudyCache } from './study-cache.js';
import { type Proposal, type TellOptions, Trial, type TrialHost } from './trial.js';
import { bestTrial, paretoFront } from './trials/best-trials.js';
import type { Distribution, ParamValue } from './trials/distribution.js';
import { FAIL_REASON, reasonOf, shown } from './trials/fail-reason.js';
import {
  type Direction,
  type FrozenTrial,
  isFinished,
  type Json,
  type TrialState,
} from './trials/frozen-trial.js';
import { type Outcome, outcome } from './trials/outcome.js';
import { sameParams } from './trials/same-params.js';
import { TrialEndedError } from './trials/trial-ended-error.js';

const METRIC_NAMES = 'study:metric_names';
const NOT_FAILED = ['COMPLETE', 'PRUNED', 'RUNNING', 'WAITING'] as const;
const NOTHING: Proposal = { space: new Map(), params: {} };

export interface StudyOptions extends RetryOptions {
  readonly sampler: Sampler;
  readonly pruner: Pruner;
  /** Told what a person should know; by default process.emitWarning. */
  readonly warn?: (code: string, message: string) => void;
}

export interface EnqueueOptions {
  readonly userAttrs?: Readonly<Record<string, Json>>;
  readonly skipIfExists?: boolean;
  readonly ifEmpty?: boolean;
}

/**
 * A study: its trials, who proposes them, and who ends them early. Any number of processes may hold the same one.
 *
 * `ask` and `tell` are the core; `optimize` and the operator `trials` are loops over them. Make one with
 * `createStudy` or `loadStudy`.
 *
 * @example
 * const trial = await study.ask();
 * const x = trial.suggestFloat('x', -10, 10);
 * await study.tell(trial, (x - 2) ** 2);
 */
export class Study implements TrialHost {
  readonly cache: StudyCache;
  readonly sampler: Sampler;
  readonly pruner: Pruner;
  /** The trials that this process runs, by number. */
  readonly #running = new Map<number, Trial>();
  /** Asks that count come one after another, each after the trial of the one before runs. */
  #asking: Promise<unknown> = Promise.resolve();
  readonly #telling = new Set<Promise<void>>();
  /** How often `stop` was called, and how often before the last loop began. */
  #stops = 0;
  #stopsBefore = 0;

  constructor(
    readonly storage: Storage,
    private readonly row: StudyRecord,
    private readonly options: StudyOptions,
  ) {
    this.sampler = options.sampler;
    this.pruner = options.pruner;
    this.cache = new StudyCache(storage, row, {
      stopped: () => this.stop(),
      warned: (code, message) => this.warn(code, message),
      noted: (trial, key, value) => this.#running.get(trial.number)?.note(key, value),
    });
  }

  get name(): string {
    return this.row.name;
  }

  get directions(): readonly Direction[] {
    return this.row.directions;
  }

  /** Whether `stop` was called since the last loop over this study began. */
  get stopped(): boolean {
    return this.#stops > this.#stopsBefore;
  }

  /** Lets the loops that run over this study in this process ask no more; one that begins later is not stopped. */
  stop(): void {
    this.#stops++;
  }

  /** Begins a loop: what it returns says whether the study was stopped since. */
  begin(): { readonly stopped: boolean } {
    const before = this.#stops;
    this.#stopsBefore = before;
    const stops = () => this.#stops;
    return {
      get stopped() {
        return stops() > before;
      },
    };
  }

  /**
   * The next trial, RUNNING: the first that was enqueued, otherwise a retry that waits, or a new one.
   *
   * With heartbeats, trials whose process died are made FAIL first, and retried. A retry lets a trial that is not one
   * go first, so that one whose parameters kill its process never keeps a study from trying others.
   *
   * @param fixed parameters to suggest at once, as in `study.ask(fixed_distributions=…)`
   */
  async ask(fixed: Readonly<Record<string, Distribution>> = {}): Promise<Trial> {
    await this.#prepareAsk();
    const record = (await this.#claimWaiting(this.#isNext)) ?? (await this.storage.createTrial(this.row.id));
    return this.#begin(record as TrialRecord, fixed);
  }

  /**
   * As `ask`, but null where the study, over all its processes, needs no further trial to have `total` COMPLETE and
   * PRUNED ones. With heartbeats those that run or wait count too, wherever they are, since they end or are retried;
   * without, those that run in other processes do not, since they may be dead.
   */
  askWithin(total: number): Promise<Trial | null> {
    const next = this.#asking.then(() => this.#askWithin(total));
    this.#asking = next.catch(() => null);
    return next;
  }

  async #askWithin(total: number): Promise<Trial | null> {
    await this.#prepareAsk();
    if (this.cache.ended >= total) return null;
    const limit: TrialLimit = this.storage.heartbeat
      ? { states: NOT_FAILED, most: total }
      : { states: ['COMPLETE', 'PRUNED'], most: total - this.#running.size };
    const record =
      (await this.#claimWaiting(this.#isNext)) ??
      (await this.storage.createTrialWithin(this.row.id, limit)) ??
      (await this.#claimWaiting(isRetry));
    return record ? this.#begin(record as TrialRecord, {}) : null;
  }

  async #prepareAsk(): Promise<void> {
    const { cache, sampler } = this;
    await cache.writeAttrs();
    await cache.refresh();
    await this.#failStale();
    if (sampler.usesStudyAttrs) await cache.refreshAttrs();
  }

  async #begin(record: TrialRecord, fixed: Readonly<Record<string, Distribution>>): Promise<Trial> {
    const { cache, sampler } = this;
    cache.adopt(record);
    const draft = this.#run(new Trial(this, record, NOTHING));
    try {
      const view = this.viewFor(record);
      sampler.beforeTrial?.(view, record);
      const space = sampler.inferRelativeSearchSpace(view, record);
      const params = space.size > 0 ? sampler.sampleRelative(view, record, space) : {};
      draft.proposal = { space, params };
      for (const [name, distribution] of Object.entries(fixed)) draft.suggest(name, distribution);
    } catch (error) {
      await this.tell(draft, null, {
        state: 'FAIL',
        reason: `the sampler failed: ${reasonOf(error)}`,
      });
      throw error;
    }
    return draft;
  }

  /**
   * Ends a trial, by the rules of `outcome`; a number stands for a trial that another process may have asked for.
   *
   * Where the storage refuses what comes along with the end, the trial is FAIL without it, and its reason says so.
   *
   * @returns the trial as stored
   * @throws TrialEndedError when the trial is not RUNNING, because it was told before or found stale; UserError when
   * state and values contradict each other, or what the sampler makes of the end is at fault, though it has ended.
   */
  async tell(
    which: Trial | number,
    values: number | readonly number[] | null = null,
    { state, skipIfFinished = false, reason, retry = false }: TellOptions = {},
  ): Promise<FrozenTrial> {
    if (
      typeof which === 'number' ? !Number.isInteger(which) : !(which instanceof Trial && which.study === this)
    )
      throw new UserError(
        `tell: expected a trial of study "${this.name}" or its number, got ${shown(which)}`,
      );
    const trial = typeof which === 'number' ? await this.#find(which, skipIfFinished) : which;
    if (!(trial instanceof Trial)) return trial;
    const { record, told } = trial;
    if (told) return this.#toldBefore(trial, skipIfFinished);
    trial.told = true;
    let end: Outcome;
    try {
      end = outcome(record, this.directions.length, values, state);
    } catch (error) {
      trial.told = false;
      throw error;
    }
    if (end.reason) this.warn('objective', `trial ${record.number} is FAIL: ${end.reason}`);
    const template = retry && isChosen(record) ? retryOf(record, this.options) : null;
    const why = reason ?? end.reason;
    if (why !== undefined) trial.note(FAIL_REASON, reasonOf(why));
    try {
      this.sampler.afterTrial?.(this.viewFor(record), record, end.state, end.values);
    } finally {
      const storing = this.#store(trial, end, template);
      this.#telling.add(storing);
      await storing.finally(() => this.#telling.delete(storing));
    }
    return record;
  }

  async #store(trial: Trial, end: Outcome, template: TrialTemplate | null): Promise<void> {
    const { record } = trial;
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
      this.#forget(record.number);
    }
    if (!stored) throw new TrialEndedError(record, 'to tell');
    this.cache.end(record, state, values, time);
  }

  async #finish(
    trial: Trial,
    { state, values }: Outcome,
    time: number,
    template: TrialTemplate | null,
  ): Promise<boolean> {
    const changes = trial.takePending();
    await trial.settled().catch((error: unknown) => {
      if (!(error instanceof FinishedTrialError)) throw error;
    });
    return this.storage.finishTrial(trial.record.id, {
      state,
      values,
      time,
      ...(changes ? { changes } : {}),
      ...(template ? { successor: { study: this.row.id, template } } : {}),
    });
  }

  /** Ends a trial whose changes the storage refused: without them, and as the storage then has it. */
  async #failWithout({ record }: Trial, time: number, error: unknown): Promise<boolean> {
    const reason = reasonOf(`what it ended with could not be stored: ${reasonOf(error)}`);
    const changes = { systemAttrs: { [FAIL_REASON]: reason } };
    let stored: boolean;
    try {
      stored = await this.storage.finishTrial(record.id, { state: 'FAIL', values: null, time, changes });
    } catch {
      throw error;
    }
    const [as] = stored ? await this.storage.readTrials([record.id]) : [];
    if (as) Object.assign(record, as);
    this.warn('trial', `trial ${record.number} is FAIL: ${reason}`);
    return stored;
  }

  /** See the function `optimize`. */
  optimize(objective: Objective, options?: OptimizeOptions): Promise<void> {
    return optimize(this, objective, options);
  }

  /** The study's trials by number, or those in the given states, as the storage has them now. */
  async trials(states?: readonly TrialState[]): Promise<readonly FrozenTrial[]> {
    await this.cache.refresh();
    return this.cache.trials(states);
  }

  /** @throws UserError when no feasible trial has completed, or there are several objectives. */
  async bestTrial(): Promise<FrozenTrial> {
    await this.cache.refresh();
    const best = bestTrial(this.cache.finished, this.directions);
    if (best) return best;
    throw new UserError(
      `study "${this.name}" has no best trial: none has completed and satisfied its constraints`,
    );
  }

  async bestValue(): Promise<number> {
    return (await this.bestTrial()).values![0]!;
  }

  async bestParams(): Promise<FrozenTrial['params']> {
    return (await this.bestTrial()).params;
  }

  /** The Pareto front, by number; see `paretoFront`. */
  async bestTrials(): Promise<readonly FrozenTrial[]> {
    await this.cache.refresh();
    return paretoFront(this.cache.finished, this.directions);
  }

  /**
   * Puts a trial with these parameters in the queue: the next ask, of whatever process, runs it. Parameters that
   * are not named are sampled. A value that lies outside its range when it is suggested is taken all the same, with a
   * warning, as in Optuna; one of another type fails the suggestion. With `skipIfExists` a trial with the same parameters, run or waiting, makes it void;
   * with `ifEmpty` any trial that has not failed does, so that of many processes which begin at once one enqueues.
   */
  async enqueueTrial(
    params: Readonly<Record<string, ParamValue>>,
    { userAttrs = {}, skipIfExists = false, ifEmpty = false }: EnqueueOptions = {},
  ): Promise<void> {
    const fixed = checkedFixed(params, this.storage.limits);
    const template = this.#checked({ state: 'WAITING', systemAttrs: { fixed_params: fixed }, userAttrs });
    if (skipIfExists && (await this.trials()).some((trial) => sameParams(trial, fixed))) return;
    if (!ifEmpty) await this.storage.createTrial(this.row.id, template);
    else await this.storage.createTrialWithin(this.row.id, { states: NOT_FAILED, most: 1 }, template);
  }

  /**
   * Stores a trial from elsewhere; `params` come with their `distributions`.
   *
   * @throws UserError when its parts contradict each other.
   */
  async addTrial(template: TrialTemplate): Promise<FrozenTrial> {
    return this.storage.createTrial(this.row.id, this.#checked(template));
  }

  #checked(template: TrialTemplate): TrialTemplate {
    return checkedTemplate(template, this.directions.length, this.storage.limits);
  }

  /** As of the storage's last word. */
  async userAttrs(): Promise<Readonly<Record<string, Json>>> {
    await this.cache.refreshAttrs();
    return this.cache.userAttrs;
  }

  async systemAttrs(): Promise<Readonly<Record<string, Json>>> {
    await this.cache.refreshAttrs();
    return this.cache.systemAttrs;
  }

  async setUserAttr(key: string, value: Json): Promise<void> {
    await this.cache.setUserAttr(key, value);
  }

  async setSystemAttr(key: string, value: Json): Promise<void> {
    this.cache.setSystemAttr(key, value);
    await this.cache.writeAttrs();
  }

  /** Names the objectives, one name each, for plots and dashboards. */
  async setMetricNames(names: readonly string[]): Promise<void> {
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
      throw new UserError(`metric names: expected an array of strings, got ${shown(names)}`, { names });
    if (names.length !== this.directions.length) {
      throw new UserError(`metric names: expected ${this.directions.length}, got ${names.length}`, { names });
    }
    await this.setSystemAttr(METRIC_NAMES, names);
  }

  async metricNames(): Promise<readonly string[] | null> {
    return ((await this.systemAttrs())[METRIC_NAMES] as readonly string[] | undefined) ?? null;
  }

  /**
   * Makes FAIL the RUNNING trials whose process has not shown itself for the storage's grace period, and queues
   * their retries; `ask` does so too. Does nothing where the storage keeps no heartbeats.
   */
  async failStaleTrials(): Promise<void> {
    await this.cache.refresh();
    await this.#failStale();
  }

  async #failStale(): Promise<void> {
    const { storage, cache } = this;
    if (!storage.staleTrials) return;
    const running = cache.active
      .filter((trial) => trial.state === 'RUNNING' && !cache.owns(trial))
      .map(({ id }) => id);
    if (running.length === 0) return;
    const stale = await storage.staleTrials(running);
    if (stale.length === 0) return;
    for (const trial of await storage.readTrials(stale)) {
      const template = retryOf(trial, this.options);
      const reason = `its process was not heard of for ${storage.heartbeat?.grace} s`;
      const changes = { systemAttrs: { fail_reason: reason } };
      const end = { state: 'FAIL', values: null, time: Date.now(), changes } as const;
      await storage.finishTrial(
        trial.id,
        template ? { ...end, successor: { study: this.row.id, template } } : end,
      );
    }
    await cache.refresh();
  }

  viewFor(trial: FrozenTrial): StudyView {
    return this.pruner.view?.(this.cache, trial) ?? this.cache;
  }

  async decide(trial: Trial): Promise<boolean> {
    if (this.directions.length > 1) {
      throw new UserError(`pruning: expected a study of one objective, got ${this.directions.length}`);
    }
    await this.cache.refresh();
    const verdict = this.pruner.prune(this.cache, trial.record);
    await trial.flush();
    return verdict;
  }

  warn(code: string, message: string): void {
    if (this.options.warn) this.options.warn(code, message);
    else process.emitWarning(message, { type: 'StudyWarning', code });
  }

  /** Waits for the trials that are being told, stops beating for those that run here, and closes the storage. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#telling);
    for (const number of this.#running.keys()) this.#forget(number);
    await this.cache.writeAttrs();
    await this.storage.close();
  }

  /** The first of the trials that wait and may be claimed now. */
  async #claimWaiting(mayRun: (trial: FrozenTrial) => boolean): Promise<TrialRecord | undefined> {
    // A copy, since others end while this one waits; those to be retried come last.
    const waiting = this.cache.active.filter((trial) => trial.state === 'WAITING' && mayRun(trial));
    for (const trial of waiting.toSorted((a, b) => Number(isRetry(a)) - Number(isRetry(b)))) {
      const time = Date.now();
      if (!(await this.storage.claimTrial(trial.id, time))) continue;
      return Object.assign(trial as TrialRecord, { state: 'RUNNING', datetimeStart: time });
    }
    return undefined;
  }

  /** Whether a waiting trial's turn has come: an enqueued one's at once, a retry's after a trial that is none. */
  readonly #isNext = (trial: FrozenTrial): boolean =>
    !isRetry(trial) || this.cache.trials().some((other) => other.number > trial.number && !isRetry(other));

  /** A trial that this process runs, or one whose own process is elsewhere. */
  async #find(number: number, skipIfFinished: boolean): Promise<Trial | FrozenTrial> {
    const running = this.#running.get(number);
    if (running) return running;
    await this.cache.refresh();
    const record = this.cache.trial(number);
    if (!record) throw new UserError(`study "${this.name}" has no trial ${number}`, { number });
    if (isFinished(record.state) && skipIfFinished) return record;
    if (record.state !== 'RUNNING')
      throw new UserError(`trial ${number}: expected a RUNNING one, it is ${record.state}`);
    const trial = new Trial(this, record as TrialRecord, NOTHING);
    this.#running.set(number, trial);
    return trial;
  }

  async #toldBefore({ record }: Trial, skipIfFinished: boolean): Promise<FrozenTrial> {
    if (skipIfFinished) return record;
    throw new TrialEndedError(record, 'to tell');
  }

  #run(trial: Trial): Trial {
    const { id, number } = trial.record;
    this.storage.startBeating?.(id);
    this.#running.set(number, trial);
    return trial;
  }

  #forget(number: number): void {
    const running = this.#running.get(number);
    if (running) this.storage.stopBeating?.(running.record.id);
    running?.close();
    this.#running.delete(number);
  }
}
