import { UserError } from '../../base/errors.js';
import type { Pruner } from '../contracts/pruner.js';
import type { StudyView } from '../contracts/study-view.js';
import type { FrozenTrial } from '../trials/frozen-trial.js';
import { checkedInterval, dueStep, type IntervalOptions } from './interval.js';
import { SortedValues } from './sorted-values.js';

/** Options of `PercentilePruner` and `MedianPruner`. */
export interface PercentileOptions extends IntervalOptions {
  /** COMPLETE trials before the first pruning, 5 by default. */
  readonly startupTrials?: number;
  /** Trials that must have reported at a step for it to count, 1 by default. */
  readonly minTrials?: number;
}

/** The reports of a study's COMPLETE trials, by step. */
interface History {
  seen: number;
  complete: number;
  readonly steps: Map<number, { count: number; sorted: SortedValues }>;
}

/**
 * Keeps the best `percentile` percent: ends a trial whose best value so far is worse than that percentile of what
 * COMPLETE trials reported at the same step. A trial that has reported nothing but NaN ends too.
 *
 * @example
 * new PercentilePruner(25, { startupTrials: 5, warmupSteps: 10 });
 */
export class PercentilePruner implements Pruner {
  readonly #interval: Required<IntervalOptions>;
  readonly #startupTrials: number;
  readonly #minTrials: number;
  readonly #histories = new WeakMap<StudyView, History>();

  constructor(
    private readonly percentile: number,
    { startupTrials = 5, minTrials = 1, ...interval }: PercentileOptions = {},
  ) {
    if (!(percentile >= 0 && percentile <= 100)) {
      throw new UserError(`percentile: expected 0 to 100, got ${percentile}`, { percentile });
    }
    if (!(startupTrials >= 0))
      throw new UserError(`startupTrials: expected 0 or more, got ${startupTrials}`, { startupTrials });
    if (!(minTrials >= 1))
      throw new UserError(`minTrials: expected 1 or more, got ${minTrials}`, { minTrials });
    this.#interval = checkedInterval(interval);
    this.#startupTrials = startupTrials;
    this.#minTrials = minTrials;
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const history = this.#history(study);
    if (history.complete === 0 || history.complete < this.#startupTrials) return false;
    const step = dueStep(trial, this.#interval);
    if (step === null) return false;
    const maximize = study.directions[0] === 'maximize';
    const values = [...trial.intermediateValues.values()].filter((value) => !Number.isNaN(value));
    if (values.length === 0) return true;
    const best = values.reduce((a, b) => (maximize ? Math.max(a, b) : Math.min(a, b)));
    const others = history.steps.get(step);
    if (!others || others.count < this.#minTrials) return false;
    const limit = others.sorted.percentile(maximize ? 100 - this.percentile : this.percentile);
    return maximize ? best < limit : best > limit;
  }

  #history(study: StudyView): History {
    const history = this.#histories.get(study) ?? { seen: 0, complete: 0, steps: new Map() };
    this.#histories.set(study, history);
    for (; history.seen < study.finished.length; history.seen++) {
      const { state, intermediateValues } = study.finished[history.seen]!;
      if (state !== 'COMPLETE') continue;
      history.complete++;
      for (const [step, value] of intermediateValues) {
        const at = history.steps.get(step) ?? { count: 0, sorted: new SortedValues() };
        history.steps.set(step, at);
        at.count++;
        at.sorted.add(value);
      }
    }
    return history;
  }
}

/** Ends a trial that is worse than the median of COMPLETE trials at the same step. */
export class MedianPruner extends PercentilePruner {
  constructor(options: PercentileOptions = {}) {
    super(50, options);
  }
}
