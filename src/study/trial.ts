import { UserError } from '../base/errors.js';
import { checkReport } from './checks/checked-report.js';
import type { Pruner } from './contracts/pruner.js';
import { shouldPrune } from './should-prune.js';
import type { TrialRecord } from './storage/trial-record.js';
import { StoredTrial } from './stored-trial.js';
import { chooseParam, NO_PROPOSAL, propose, type SuggestingStudy, suggestedBefore } from './suggest.js';
import type { TellOptions } from './tell-options.js';
import { type Choice, type Distribution, type ParamValue, toExternal } from './trials/distribution.js';
import type { FrozenTrial } from './trials/frozen-trial.js';
import {
  categoricalDistribution,
  checkedDistribution,
  floatDistribution,
  intDistribution,
  type NumericOptions,
} from './trials/make-distribution.js';

/** The part of a study that a trial uses. */
export interface TrialHost extends SuggestingStudy {
  readonly name: string;
  readonly pruner: Pruner;
  /** Ends a trial. */
  tell(trial: Trial, values?: number | readonly number[] | null, options?: TellOptions): Promise<FrozenTrial>;
}

/**
 * A trial that this process runs: it suggests parameters, takes reports, and decides whether to continue.
 *
 * Suggestions and attributes take effect here at once and are written behind, together: in the next turn of the
 * event loop, or with the next report or tell, whichever comes first. A write that fails fails the next report, or
 * makes the trial FAIL. A name or value that the storage could not keep is refused at once, and so is every change
 * after `tell`.
 *
 * @example
 * const trial = await study.ask();
 * const rate = trial.suggestFloat('learningRate', 1e-5, 1e-2, { log: true });
 */
export class Trial extends StoredTrial {
  #proposal = NO_PROPOSAL;
  #deciding: Promise<void> = Promise.resolve();

  /** See `Study.ask`. @internal */
  constructor(
    readonly study: TrialHost,
    record: TrialRecord,
  ) {
    super(record, study.storage);
  }

  /** Resolves when the last pruning decision has been made. */
  get deciding(): Promise<void> {
    return this.#deciding;
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
   * The parameter's value: the one that this trial already has or was enqueued with, or the sampler's.
   *
   * @throws UserError when the study knows the name with another type, log or choices.
   */
  suggest(name: string, distribution: Distribution): ParamValue {
    return this.#suggest(name, checkedDistribution(distribution));
  }

  #suggest(name: string, distribution: Distribution): ParamValue {
    const { record, study } = this;
    if (Object.hasOwn(record.distributions, name)) return suggestedBefore(study, record, name, distribution);
    this.checkOpen();
    const param = chooseParam(study, record, this.#proposal, name, distribution);
    this.change({ params: new Map([[name, param]]) });
    return toExternal(param.distribution, param.internal);
  }

  /**
   * Records an intermediate value, for the pruner. The first value of a step stays; NaN and infinities are values.
   *
   * Unlike Optuna, which casts, takes neither a string for the value nor a fraction for the step.
   *
   * @throws UserError when the value is not a number, the step no integer from 0 up, or the study has several objectives.
   */
  async report(value: number, step: number): Promise<void> {
    const { record, study } = this;
    const objectives = study.cache.directions.length;
    if (objectives > 1) throw new UserError(`report: expected a study of one objective, got ${objectives}`);
    checkReport(value, step, study.storage.limits);
    this.checkOpen();
    if (record.intermediateValues.has(step)) {
      study.warn('report', `trial ${record.number}: step ${step} was reported before; the first value stays`);
      return;
    }
    this.change({ intermediateValues: new Map([[step, value]]) });
    await this.flush();
  }

  /** Whether the study's pruner would end the trial now, given all that is stored of other trials. */
  shouldPrune(): Promise<boolean> {
    const decision = shouldPrune(this.study, this.record, () => this.flush());
    this.#deciding = decision.then(
      () => {},
      () => {},
    );
    return decision;
  }

  /** Lets the sampler propose; the study calls it once, when the trial begins. */
  propose(): void {
    this.#proposal = propose(this.study, this.record);
  }
}
