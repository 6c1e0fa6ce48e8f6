import { Asking } from './ask.js';
import type { Pruner } from './contracts/pruner.js';
import type { Sampler } from './contracts/sampler.js';
import type { StudyView } from './contracts/study-view.js';
import { addTrial, type EnqueueOptions, enqueueTrial } from './enqueue.js';
import { Loops } from './loops.js';
import { type Objective, type OptimizeOptions, optimize } from './optimize.js';
import type { RetryOptions } from './retry-trial.js';
import { RunningTrials } from './running-trials.js';
import { failStale } from './stale-trials.js';
import type { Storage, StudyRecord, TrialTemplate } from './storage/storage.js';
import { StoredStudy } from './stored-study.js';
import type { StudyCore } from './study-core.js';
import { Telling } from './tell.js';
import type { TellOptions } from './tell-options.js';
import type { Trial, TrialHost } from './trial.js';
import type { Distribution, ParamValue } from './trials/distribution.js';
import type { FrozenTrial } from './trials/frozen-trial.js';

/** Options of a study. */
export interface StudyOptions extends RetryOptions {
  readonly sampler: Sampler;
  readonly pruner: Pruner;
  /** Called with warnings for the user; by default process.emitWarning. */
  readonly warn?: (code: string, message: string) => void;
}

/**
 * A study: its trials, its sampler, and its pruner. Any number of processes may hold the same one.
 *
 * `ask` and `tell` are the core; `optimize` and the operator `trials` are loops over them. Make one with
 * `createStudy` or `loadStudy`.
 *
 * @example
 * const trial = await study.ask();
 * const x = trial.suggestFloat('x', -10, 10);
 * await study.tell(trial, (x - 2) ** 2);
 */
export class Study extends StoredStudy implements TrialHost {
  readonly sampler: Sampler;
  readonly pruner: Pruner;
  readonly #core: StudyCore;
  readonly #asking: Asking;
  readonly #telling: Telling;
  readonly #loops = new Loops();

  constructor(
    storage: Storage,
    record: StudyRecord,
    private readonly options: StudyOptions,
  ) {
    const running = new RunningTrials(storage);
    super(storage, record, {
      stopped: () => this.stop(),
      warned: (code, message) => this.warn(code, message),
      noted: (trial, key, value) => running.get(trial.number)?.note(key, value),
    });
    this.sampler = options.sampler;
    this.pruner = options.pruner;
    this.#core = { study: this, id: record.id, attributes: this.attributes, running, retries: options };
    this.#asking = new Asking(this.#core);
    this.#telling = new Telling(this.#core);
  }

  /** Whether `stop` was called since the last loop over this study began. */
  get stopped(): boolean {
    return this.#loops.stopped;
  }

  /**
   * Stops the loops over this study in this process from asking for trials; a loop that begins later is not affected.
   */
  stop(): void {
    this.#loops.stop();
  }

  /** Begins a loop: the result tells whether the study was stopped since. */
  begin(): { readonly stopped: boolean } {
    return this.#loops.begin();
  }

  /**
   * The next trial, RUNNING: the first enqueued one, otherwise a waiting retry, or a new one.
   *
   * With heartbeats, trials whose process died are made FAIL first, and retried. A retry lets a trial that is not a retry
   * go first, so that one whose parameters kill its process never keeps a study from trying others.
   *
   * @param fixed parameters to suggest at once, as in `study.ask(fixed_distributions=…)`
   */
  ask(fixed?: Readonly<Record<string, Distribution>>): Promise<Trial> {
    return this.#asking.next(fixed);
  }

  /**
   * As `ask`, but null if the study, over all its processes, needs no further trial to reach `total` COMPLETE and
   * PRUNED ones. With heartbeats those that run or wait count too, wherever they are, since they end or are retried;
   * without, those that run in other processes do not, since they may be dead.
   */
  askWithin(total: number): Promise<Trial | null> {
    return this.#asking.nextWithin(total);
  }

  /**
   * Ends a trial, by the rules of `outcome`; a number stands for a trial that another process may have asked for.
   *
   * Where the storage refuses what comes along with the end, the trial is FAIL without it, and its reason says so.
   *
   * @returns the trial as stored
   * @throws TrialEndedError when the trial is not RUNNING, because it was told before or found stale; UserError when
   * state and values contradict each other, or the sampler fails on the end, though the trial has then ended.
   */
  tell(
    trial: Trial | number,
    values: number | readonly number[] | null = null,
    options: TellOptions = {},
  ): Promise<FrozenTrial> {
    return this.#telling.tell(trial, values, options);
  }

  /** See the function `optimize`. */
  optimize(objective: Objective, options?: OptimizeOptions<Study>): Promise<void> {
    return optimize(this, objective, options);
  }

  /**
   * Puts a trial with these parameters in the queue: the next ask, in any process, runs it. Other parameters are
   * sampled. A value outside the range that is suggested later is used, with a warning, as in Optuna; one of another
   * type fails the suggestion. With `skipIfExists` nothing is enqueued where a trial, run or waiting, has the same
   * parameters; with `ifEmpty`, where the study has any trial that has not failed, so that of many processes which
   * begin at once only one enqueues.
   */
  enqueueTrial(params: Readonly<Record<string, ParamValue>>, options: EnqueueOptions = {}): Promise<void> {
    return enqueueTrial(this.#core, params, options);
  }

  /**
   * Stores a trial from elsewhere; `params` come with their `distributions`.
   *
   * @throws UserError when its parts contradict each other.
   */
  async addTrial(template: TrialTemplate): Promise<FrozenTrial> {
    return addTrial(this.#core, template);
  }

  /**
   * Makes FAIL the RUNNING trials whose process has not shown itself for the storage's grace period, and queues
   * their retries; `ask` does so too. Does nothing where the storage keeps no heartbeats.
   */
  async failStaleTrials(): Promise<void> {
    await this.cache.refresh();
    await failStale(this.#core);
  }

  /** The study as this trial's sampler sees it: all of it, or the part that the pruner lets it compete in. */
  viewFor(trial: FrozenTrial): StudyView {
    return this.pruner.view?.(this.cache, trial) ?? this.cache;
  }

  /** Warns the user. */
  warn(code: string, message: string): void {
    if (this.options.warn) this.options.warn(code, message);
    else process.emitWarning(message, { type: 'StudyWarning', code });
  }

  /**
   * Waits for the trials that are being told, stops the heartbeats of this process, and closes the storage.
   */
  async close(): Promise<void> {
    await this.#telling.settled();
    this.#core.running.removeAll();
    await this.attributes.write();
    await this.storage.close();
  }
}
