import { UserError } from '../base/errors.js';
import { checkedJson } from './checks/checked-json.js';
import { checkName } from './checks/checked-name.js';
import { checkedParam, checkParam } from './checks/checked-param.js';
import { checkReport } from './checks/checked-report.js';
import type { Sampler } from './contracts/sampler.js';
import type { StudyView } from './contracts/study-view.js';
import type { Storage, StoredParam, TrialChanges } from './storage/storage.js';
import { applyChanges, type TrialRecord } from './storage/trial-record.js';
import type { StudyCache } from './study-cache.js';
import {
  type Choice,
  contains,
  type Distribution,
  isSingle,
  type ParamValue,
  rangeText,
  type SearchSpace,
  toExternal,
  toInternal,
} from './trials/distribution.js';
import type { FrozenTrial, Json } from './trials/frozen-trial.js';
import {
  categoricalDistribution,
  checkedDistribution,
  floatDistribution,
  intDistribution,
  type NumericOptions,
} from './trials/make-distribution.js';
import type { Outcome } from './trials/outcome.js';
import { checkCompatible, sameDistribution } from './trials/same-distribution.js';
import { setOwn } from './trials/set-own.js';
import { TrialEndedError } from './trials/trial-ended-error.js';

/** What a trial uses of its study. */
export interface TrialHost {
  readonly name: string;
  readonly cache: StudyCache;
  readonly storage: Storage;
  readonly sampler: Sampler;
  /** The study as this trial's sampler sees it. */
  viewFor(trial: FrozenTrial): StudyView;
  decide(trial: Trial): Promise<boolean>;
  tell(trial: Trial, values?: number | readonly number[] | null, options?: TellOptions): Promise<FrozenTrial>;
  warn(code: string, message: string): void;
}

export interface TellOptions {
  /** By default what the values make of it. */
  readonly state?: Outcome['state'];
  /** Leave a trial that has ended as it is, in place of an error. */
  readonly skipIfFinished?: boolean;
  /** Why the trial failed; kept as its system attribute `fail_reason`. */
  readonly reason?: string;
  /** Queue its parameters, where it has any, as those of a stale trial are: for one that was stopped, not at fault. */
  readonly retry?: boolean;
}

/** What a sampler proposed for a trial before its first suggestion. */
export interface Proposal {
  readonly space: SearchSpace;
  readonly params: Readonly<Record<string, ParamValue>>;
}

/**
 * A trial that this process runs: it suggests parameters, takes reports, and says whether to go on.
 *
 * Suggestions and attributes take effect here at once and are written behind, together: in the next turn of the
 * event loop, or with the next report or tell, whichever is first. A write that fails fails the next report, or makes
 * the trial FAIL. What no storage, or not this one, could keep is refused at once, by its name; and so is every change
 * after `tell`.
 *
 * @example
 * const trial = await study.ask();
 * const rate = trial.suggestFloat('learningRate', 1e-5, 1e-2, { log: true });
 */
export class Trial {
  #pending = emptyChanges();
  #scheduled: NodeJS.Immediate | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** Set as soon as the trial is being told, by whoever comes first. */
  told = false;
  /** Resolves when the last decision whether to prune is made. */
  deciding: Promise<void> = Promise.resolve();
  /** Resolves when the trial has ended, whatever as. */
  readonly ended: Promise<void>;
  readonly #resolveEnded: () => void;

  constructor(
    readonly study: TrialHost,
    readonly record: TrialRecord,
    public proposal: Proposal,
  ) {
    let resolve = () => {};
    this.ended = new Promise((done) => {
      resolve = done;
    });
    this.#resolveEnded = resolve;
  }

  get number(): number {
    return this.record.number;
  }

  get params(): FrozenTrial['params'] {
    return this.record.params;
  }

  get userAttrs(): FrozenTrial['userAttrs'] {
    return this.record.userAttrs;
  }

  get systemAttrs(): FrozenTrial['systemAttrs'] {
    return this.record.systemAttrs;
  }

  /** A real number in [low, high]; see `floatDistribution` for log and step. */
  suggestFloat(name: string, low: number, high: number, options?: NumericOptions): number {
    return this.#suggest(name, floatDistribution(low, high, options)) as number;
  }

  /** An integer in [low, high]; see `intDistribution` for log and step. */
  suggestInt(name: string, low: number, high: number, options?: NumericOptions): number {
    return this.#suggest(name, intDistribution(low, high, options)) as number;
  }

  /** One of the choices, which must be the same, in the same order, in all trials of the study. */
  suggestCategorical<const C extends Choice>(name: string, choices: readonly C[]): C {
    return this.#suggest(name, categoricalDistribution(choices)) as C;
  }

  /**
   * The parameter's value: the one that this trial has already, or was enqueued with, or its sampler proposes.
   *
   * @throws UserError when the study knows the name with another type, log or choices.
   */
  suggest(name: string, asked: Distribution): ParamValue {
    return this.#suggest(name, checkedDistribution(asked));
  }

  #suggest(name: string, asked: Distribution): ParamValue {
    const { record, study } = this;
    if (Object.hasOwn(record.distributions, name)) {
      const first = record.distributions[name]!;
      checkCompatible(name, first, asked);
      if (!sameDistribution(first, asked))
        study.warn(
          'second-range',
          `trial ${record.number}: "${name}" keeps the value from its first range, ${rangeText(first)}; the second, ` +
            `${rangeText(asked)}, is ignored`,
        );
      return record.params[name]!;
    }
    this.#checkOpen();
    checkParam(name, asked, study.storage.limits, record.distributions);
    const distribution = study.cache.known(name, asked);
    const internal = this.#choose(name, distribution);
    this.#change({ params: new Map([[name, { internal, distribution }]]) });
    return toExternal(distribution, internal);
  }

  #choose(name: string, distribution: Distribution): number {
    const { record, proposal, study } = this;
    const fixed = record.systemAttrs.fixed_params as Readonly<Record<string, ParamValue>> | undefined;
    if (fixed && Object.hasOwn(fixed, name)) {
      const internal = checkedParam(name, distribution, fixed[name]!);
      if (!contains(distribution, internal)) {
        study.warn(
          'fixed-param',
          `trial ${record.number}: "${name}" is fixed at ${fixed[name]}, outside its range`,
        );
      }
      return internal;
    }
    if (isSingle(distribution)) return distribution.name === 'CategoricalDistribution' ? 0 : distribution.low;
    const proposed = proposal.params[name];
    if (Object.hasOwn(proposal.params, name) && proposed !== undefined) {
      const known = proposal.space.get(name);
      if (known) checkCompatible(name, known, distribution);
      const internal = toInternal(distribution, proposed);
      if (contains(distribution, internal)) return internal;
    }
    return checkedParam(
      name,
      distribution,
      study.sampler.sampleIndependent(study.viewFor(record), record, name, distribution),
    );
  }

  /**
   * Records an intermediate value, for the pruner. The first value of a step stays; NaN and infinities are values.
   *
   * Unlike Optuna, which casts, takes neither a string for the value nor a fraction for the step.
   *
   * @throws UserError when the value is no number, the step no integer from 0 up, or the study has several objectives.
   */
  async report(value: number, step: number): Promise<void> {
    const { record, study } = this;
    if (study.cache.directions.length > 1) {
      throw new UserError(`report: expected a study of one objective, got ${study.cache.directions.length}`);
    }
    checkReport(value, step, study.storage.limits);
    this.#checkOpen();
    if (record.intermediateValues.has(step)) {
      study.warn('report', `trial ${record.number}: step ${step} was reported before; the first value stays`);
      return;
    }
    this.#change({ intermediateValues: new Map([[step, value]]) });
    await this.flush();
  }

  /** Whether the study's pruner would end the trial now, given all that is stored of other trials. */
  shouldPrune(): Promise<boolean> {
    const decision = this.study.decide(this);
    const deciding = decision.then(
      () => {},
      () => {},
    );
    this.deciding = deciding;
    return decision;
  }

  /** @throws UserError when the value is not JSON, or the storage cannot hold it or its key. */
  setUserAttr(key: string, value: Json): void {
    this.#checkOpen();
    const { limits } = this.study.storage;
    checkName('user attribute', key, limits, this.record.userAttrs);
    this.#change({ userAttrs: { [key]: checkedJson(`user attribute "${key}"`, value, limits) } });
  }

  /** As `setUserAttr`, for what belongs to the study's own workings. */
  setSystemAttr(key: string, value: Json): void {
    this.#checkOpen();
    this.note(key, value);
  }

  /** Sets a system attribute even while the trial is being told: a sampler's or the study's own note. */
  note(key: string, value: Json): void {
    const { limits } = this.study.storage;
    checkName('system attribute', key, limits, this.record.systemAttrs);
    this.#change({ systemAttrs: { [key]: checkedJson(`system attribute "${key}"`, value, limits) } });
  }

  #checkOpen(): void {
    if (this.told) throw new TrialEndedError(this.record, 'to change');
  }

  /** Writes what waits to be written. */
  async flush(): Promise<void> {
    const changes = this.takePending();
    if (changes) {
      this.#writing = this.#writing
        .then(() => this.study.storage.writeTrial(this.record.id, changes))
        .catch((error: unknown) => {
          this.#failure ??= error;
        });
    }
    await this.settled();
  }

  /** What waits to be written, for a caller who writes it along with something else. */
  takePending(): TrialChanges | undefined {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const changes = this.#pending;
    if (changes.count === 0) return undefined;
    this.#pending = emptyChanges();
    return changes;
  }

  /** Waits for the writes under way, and fails if one of them did. */
  async settled(): Promise<void> {
    await this.#writing;
    if (this.#failure === undefined) return;
    const failure = this.#failure;
    this.#failure = undefined;
    throw failure;
  }

  /** Called by the study when nothing more comes of this trial. */
  close(): void {
    clearImmediate(this.#scheduled);
    this.#resolveEnded();
  }

  #change(changes: TrialChanges): void {
    applyChanges(this.record, changes);
    const pending = this.#pending;
    for (const [name, param] of changes.params ?? []) pending.params.set(name, param);
    for (const [step, value] of changes.intermediateValues ?? []) pending.intermediateValues.set(step, value);
    for (const kind of ['userAttrs', 'systemAttrs'] as const)
      for (const key in changes[kind]) setOwn(pending[kind], key, changes[kind][key]!);
    pending.count++;
    this.#scheduled ??= setImmediate(() => {
      this.flush().catch((error: unknown) => {
        this.#failure ??= error;
      });
    });
  }
}

/** Ends an objective early and makes its trial PRUNED: `if (await trial.shouldPrune()) throw new TrialPruned();` */
export class TrialPruned extends Error {
  override readonly name = 'TrialPruned';

  constructor(message = 'the trial was pruned') {
    super(message);
  }
}

function emptyChanges() {
  return {
    params: new Map<string, StoredParam>(),
    intermediateValues: new Map<number, number>(),
    userAttrs: {} as Record<string, Json>,
    systemAttrs: {} as Record<string, Json>,
    count: 0,
  };
}
