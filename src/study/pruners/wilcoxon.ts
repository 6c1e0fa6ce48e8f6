import { UserError } from '../../base/errors.js';
import type { Pruner } from '../contracts/pruner.js';
import type { StudyView } from '../contracts/study-view.js';
import { bestTrial } from '../trials/best-trials.js';
import type { FrozenTrial } from '../trials/frozen-trial.js';
import { signedRankPValue } from './signed-rank.js';

/** Options of `WilcoxonPruner`. */
export interface WilcoxonOptions {
  /** The p-value below which a trial ends, 0.1 by default. */
  readonly pThreshold?: number;
  /** The number of steps in common with the best trial that the test needs; at least 2, the default. */
  readonly startupSteps?: number;
}

/**
 * For objectives that are a mean over instances, each reported under its own step: ends a trial that is worse
 * than the best one on the steps that both have, by Wilcoxon's signed-rank test.
 *
 * A trial whose mean so far beats the best one's goes on whatever the test says. Instances should be shuffled
 * anew for each trial. A value that is not finite, in either trial, means no decision; steps that the best trial lacks
 * are not compared. Both are said in a warning.
 */
export class WilcoxonPruner implements Pruner {
  readonly #pThreshold: number;
  readonly #startupSteps: number;
  readonly #said = new WeakMap<StudyView, Set<string>>();
  readonly #best = new WeakMap<StudyView, { seen: number; trial: FrozenTrial | undefined }>();

  constructor({ pThreshold = 0.1, startupSteps = 2 }: WilcoxonOptions = {}) {
    if (!(pThreshold >= 0 && pThreshold <= 1))
      throw new UserError(`pThreshold: expected 0 to 1, got ${pThreshold}`);
    if (!(startupSteps >= 0)) throw new UserError(`startupSteps: expected 0 or more, got ${startupSteps}`);
    this.#pThreshold = pThreshold;
    this.#startupSteps = startupSteps;
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const reports = trial.intermediateValues;
    if (reports.size === 0) return false;
    if (!allFinite(reports))
      return this.#cannot(study, `trial ${trial.number} has reported NaN or infinity, and is not pruned`);
    const bestTrial = this.#bestOf(study);
    if (!bestTrial) return false;
    const best = bestTrial.intermediateValues;
    if (best.size === 0)
      return this.#cannot(
        study,
        `the best trial, ${bestTrial.number}, has reported nothing to compare with: no trial is pruned`,
      );
    if (!allFinite(best))
      return this.#cannot(
        study,
        `the best trial, ${bestTrial.number}, has reported NaN or infinity: no trial is pruned`,
      );
    const sign = study.directions[0] === 'maximize' ? -1 : 1;
    const steps = [...reports.keys()].filter((step) => best.has(step));
    if (steps.length < reports.size)
      this.#warn(
        study,
        `trial ${trial.number} has reported steps that the best trial, ${bestTrial.number}, lacks: they are not compared`,
      );
    if (steps.length < Math.max(2, this.#startupSteps)) return false;
    const differences = steps.map((step) => sign * (reports.get(step)! - best.get(step)!));
    return signedRankPValue(differences) < this.#pThreshold && sign * mean(best) < sign * mean(reports);
  }

  #cannot(study: StudyView, why: string): false {
    this.#warn(study, why);
    return false;
  }

  /** Warns once per study, however many reports are affected. */
  #warn(study: StudyView, message: string): void {
    const warnings = this.#said.get(study) ?? new Set();
    this.#said.set(study, warnings);
    if (warnings.has(message)) return;
    warnings.add(message);
    study.warn('wilcoxon', message);
  }

  /** The best trial, updated with the trials that finished since. */
  #bestOf(study: StudyView): FrozenTrial | undefined {
    const best = this.#best.get(study) ?? { seen: 0, trial: undefined };
    this.#best.set(study, best);
    const fresh = study.finished.slice(best.seen);
    best.seen = study.finished.length;
    best.trial = bestTrial(best.trial ? [best.trial, ...fresh] : fresh, study.directions);
    return best.trial;
  }
}

function allFinite(values: ReadonlyMap<number, number>): boolean {
  return [...values.values()].every(Number.isFinite);
}

function mean(values: ReadonlyMap<number, number>): number {
  return [...values.values()].reduce((sum, value) => sum + value, 0) / values.size;
}
