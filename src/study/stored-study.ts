import { UserError } from '../base/errors.js';
import { checkMetricNames, METRIC_NAMES } from './metric-names.js';
import type { Storage, StudyRecord } from './storage/storage.js';
import { StudyAttributes } from './study-attributes.js';
import { type CacheEvents, StudyCache } from './study-cache.js';
import { bestTrial, paretoFront } from './trials/best-trials.js';
import type { Direction, FrozenTrial, Json, TrialState } from './trials/frozen-trial.js';

/** A study as stored: its trials, the best of them, and its attributes. */
export abstract class StoredStudy {
  /** @internal */
  readonly cache: StudyCache;
  protected readonly attributes: StudyAttributes;

  protected constructor(
    readonly storage: Storage,
    protected readonly record: StudyRecord,
    events: CacheEvents,
  ) {
    this.attributes = new StudyAttributes(storage, record);
    this.cache = new StudyCache(storage, record, this.attributes, events);
  }

  /** The study's name. */
  get name(): string {
    return this.record.name;
  }

  /** The direction of each objective. */
  get directions(): readonly Direction[] {
    return this.record.directions;
  }

  /** The study's stored trials by number, or those in the given states. */
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

  /** The value of `bestTrial`. @throws UserError as it does. */
  async bestValue(): Promise<number> {
    return (await this.bestTrial()).values![0]!;
  }

  /** The parameters of `bestTrial`. @throws UserError as it does. */
  async bestParams(): Promise<FrozenTrial['params']> {
    return (await this.bestTrial()).params;
  }

  /** The Pareto front, by number; see `paretoFront`. */
  async bestTrials(): Promise<readonly FrozenTrial[]> {
    await this.cache.refresh();
    return paretoFront(this.cache.finished, this.directions);
  }

  /** The stored user attributes. */
  async userAttrs(): Promise<Readonly<Record<string, Json>>> {
    await this.attributes.refresh();
    return this.attributes.user;
  }

  /** The system attributes as the storage has them now, and as samplers here have set them. */
  async systemAttrs(): Promise<Readonly<Record<string, Json>>> {
    await this.attributes.refresh();
    return this.attributes.system;
  }

  /** @throws UserError when the value is not JSON, or the storage cannot hold it or its key. */
  setUserAttr(key: string, value: Json): Promise<void> {
    return this.attributes.setUser(key, value);
  }

  /** As `setUserAttr`, for what belongs to the study's own workings. */
  async setSystemAttr(key: string, value: Json): Promise<void> {
    this.attributes.setSystem(key, value);
    await this.attributes.write();
  }

  /** Names the objectives, one name each, for plots and dashboards. */
  async setMetricNames(names: readonly string[]): Promise<void> {
    checkMetricNames(names, this.directions.length);
    await this.setSystemAttr(METRIC_NAMES, names);
  }

  /** The names of the objectives; null if they have none. */
  async metricNames(): Promise<readonly string[] | null> {
    return ((await this.systemAttrs())[METRIC_NAMES] as readonly string[] | undefined) ?? null;
  }
}
