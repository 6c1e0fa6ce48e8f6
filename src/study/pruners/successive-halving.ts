import { UserError } from '../../base/errors.js';
import type { Pruner } from '../contracts/pruner.js';
import type { StudyView } from '../contracts/study-view.js';
import { type FrozenTrial, lastStep } from '../trials/frozen-trial.js';
import { SortedValues } from './sorted-values.js';

/** Options of `SuccessiveHalvingPruner`. */
export interface SuccessiveHalvingOptions {
  /** The step of the first rung; 'auto': a hundredth of the longest COMPLETE trial's last step. */
  readonly minResource?: number | 'auto';
  /** One trial in this many goes on at each rung, 4 by default. */
  readonly reductionFactor?: number;
  /** Rungs that are left out at the beginning, 0 by default. */
  readonly minEarlyStoppingRate?: number;
  /** Trials that a rung must have before one goes on, 0 by default; needs a minResource. */
  readonly bootstrapCount?: number;
}

/**
 * Asynchronous successive halving (Li et al. 2018, "A System for Massively Parallel Hyperparameter Tuning"): rung
 * r is at step minResource · factor^(rate + r), where a trial goes on if it is among the best 1/factor of those
 * that came so far, the best one at least.
 *
 * A trial notes its value at a rung as system attribute `completed_rung_<r>`, for all processes to see.
 */
export class SuccessiveHalvingPruner implements Pruner {
  #minResource: number | null;
  readonly #factor: number;
  readonly #rate: number;
  readonly #bootstrapCount: number;
  readonly #histories = new WeakMap<StudyView, { seen: number; readonly rungs: Map<string, SortedValues> }>();

  constructor({
    minResource = 'auto',
    reductionFactor = 4,
    minEarlyStoppingRate = 0,
    bootstrapCount = 0,
  }: SuccessiveHalvingOptions = {}) {
    if (minResource !== 'auto' && !(minResource >= 1 && Number.isFinite(minResource))) {
      throw new UserError(`minResource: expected 1 or more or 'auto', got ${minResource}`, { minResource });
    }
    if (!(reductionFactor >= 2 && Number.isFinite(reductionFactor)))
      throw new UserError(`reductionFactor: expected 2 or more, got ${reductionFactor}`);
    if (!(minEarlyStoppingRate >= 0))
      throw new UserError(`minEarlyStoppingRate: expected 0 or more, got ${minEarlyStoppingRate}`);
    if (!(bootstrapCount >= 0))
      throw new UserError(`bootstrapCount: expected 0 or more, got ${bootstrapCount}`);
    if (bootstrapCount > 0 && minResource === 'auto')
      throw new UserError('bootstrapCount: it needs a minResource that is a number');
    this.#minResource = minResource === 'auto' ? null : minResource;
    this.#factor = reductionFactor;
    this.#rate = minEarlyStoppingRate;
    this.#bootstrapCount = bootstrapCount;
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const step = lastStep(trial);
    if (step === null) return false;
    this.#minResource ??= estimateMinResource(study);
    if (this.#minResource === null) return false;
    const value = trial.intermediateValues.get(step)!;
    for (let rung = firstOpenRung(trial); ; rung++) {
      if (step < this.#minResource * this.#factor ** (this.#rate + rung)) return false;
      if (Number.isNaN(value)) return true;
      study.setTrialSystemAttr(trial, rungKey(rung), value);
      if (!this.#goesOn(study, trial, rungKey(rung), value)) return true;
    }
  }

  /** Whether `value` is among the best of all that reached the rung, itself counted once. */
  #goesOn(study: StudyView, trial: FrozenTrial, key: string, value: number): boolean {
    const sign = study.directions[0] === 'maximize' ? -1 : 1;
    const past = this.#rung(study, key);
    const running = study.active
      .filter((other) => other.id !== trial.id)
      .map((other) => other.systemAttrs[key]);
    const losses = running.filter((other) => typeof other === 'number').map((other) => sign * other);
    const competing = past.values.length + losses.length + 1;
    if (competing <= this.#bootstrapCount) return false;
    const loss = sign * value;
    const better = past.countBelow(loss) + losses.filter((other) => other < loss).length;
    return better < Math.max(1, Math.floor(competing / this.#factor));
  }

  #rung(study: StudyView, key: string): SortedValues {
    const history = this.#histories.get(study) ?? { seen: 0, rungs: new Map<string, SortedValues>() };
    this.#histories.set(study, history);
    const sign = study.directions[0] === 'maximize' ? -1 : 1;
    for (; history.seen < study.finished.length; history.seen++) {
      const { systemAttrs } = study.finished[history.seen]!;
      for (let rung = 0; typeof systemAttrs[rungKey(rung)] === 'number'; rung++) {
        const sorted = history.rungs.get(rungKey(rung)) ?? new SortedValues();
        history.rungs.set(rungKey(rung), sorted);
        sorted.add(sign * (systemAttrs[rungKey(rung)] as number));
      }
    }
    return history.rungs.get(key) ?? new SortedValues();
  }
}

function rungKey(rung: number): string {
  return `completed_rung_${rung}`;
}

function firstOpenRung(trial: FrozenTrial): number {
  let rung = 0;
  while (Object.hasOwn(trial.systemAttrs, rungKey(rung))) rung++;
  return rung;
}

/** max(1, last step // 100) over COMPLETE trials, or null before the first that reported. */
function estimateMinResource(study: StudyView): number | null {
  let last: number | null = null;
  for (const trial of study.finished) {
    const step = trial.state === 'COMPLETE' ? lastStep(trial) : null;
    if (step !== null && (last === null || step > last)) last = step;
  }
  return last === null ? null : Math.max(Math.floor(last / 100), 1);
}
