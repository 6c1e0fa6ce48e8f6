import { UserError } from '../../errors.js';
import { bestTrial } from '../best-trials.js';
import type { FrozenTrial } from '../frozen-trial.js';
import type { Pruner } from '../pruner.js';
import type { StudyView } from '../study-view.js';
import { signedRankPValue } from './signed-rank.js';

export interface WilcoxonOptions {
  /** The p-value below which a trial ends, 0.1 by default. */
  readonly pThreshold?: number;
  /** Steps in common with the best trial before the test is made, 2 by default and at least. */
  readonly startupSteps?: number;
}

/**
 * For objectives that are a mean over instances, each reported under its own step: ends a trial that is worse
 * than the best one on the steps that both have, by Wilcoxon's signed-rank test.
 *
 * A trial whose mean so far beats the best one's goes on whatever the test says. Instances should be shuffled
 * anew for each trial. A value that is not finite, in either trial, means no decision.
 */
export class WilcoxonPruner implements Pruner {
  readonly #pThreshold: number;
  readonly #startupSteps: number;
  readonly #best = new WeakMap<StudyView, { seen: number; trial: FrozenTrial | undefined }>();

  constructor({ pThreshold = 0.1, startupSteps = 2 }: WilcoxonOptions = {}) {
    if (!(pThreshold >= 0 && pThreshold <= 1))
      throw new UserError(`pThreshold: expected 0 to 1, got ${pThreshold}`);
    if (!(startupSteps >= 0)) throw new UserError(`startupSteps: expected 0 or more, got ${startupSteps}`);
    this.#pThreshold = pThreshold;
    this.#startupSteps = startupSteps;
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const own = trial.intermediateValues;
    const best = this.#bestOf(study)?.intermediateValues;
    if (own.size === 0 || !best?.size) return false;
    if (![...own.values(), ...best.values()].every(Number.isFinite)) return false;
    const sign = study.directions[0] === 'maximize' ? -1 : 1;
    const steps = [...own.keys()].filter((step) => best.has(step));
    if (steps.length < Math.max(2, this.#startupSteps)) return false;
    const worse = steps.map((step) => sign * (own.get(step)! - best.get(step)!));
    return signedRankPValue(worse) < this.#pThreshold && sign * mean(best) < sign * mean(own);
  }

  /** The best trial, carried on from what was seen before. */
  #bestOf(study: StudyView): FrozenTrial | undefined {
    const known = this.#best.get(study) ?? { seen: 0, trial: undefined };
    this.#best.set(study, known);
    const fresh = study.finished.slice(known.seen);
    known.seen = study.finished.length;
    known.trial = bestTrial(known.trial ? [known.trial, ...fresh] : fresh, study.directions);
    return known.trial;
  }
}

function mean(values: ReadonlyMap<number, number>): number {
  return [...values.values()].reduce((sum, value) => sum + value, 0) / values.size;
}
