import zlib from 'node:zlib';
import { UserError } from '../../base/errors.js';
import type { Pruner } from '../contracts/pruner.js';
import type { StudyView } from '../contracts/study-view.js';
import { type FrozenTrial, lastStep } from '../trials/frozen-trial.js';
import { FilteredView } from './filtered-view.js';
import { SuccessiveHalvingPruner } from './successive-halving.js';

/** Options of `HyperbandPruner`. */
export interface HyperbandOptions {
  /** The step of the first rung of the most eager bracket, 1 by default. */
  readonly minResource?: number;
  /** The steps that a trial takes; 'auto': those of the longest COMPLETE trial when the first is known. */
  readonly maxResource?: number | 'auto';
  /** One trial in this many goes on at each rung, 3 by default. */
  readonly reductionFactor?: number;
  /** Trials that a rung must have before one goes on, 0 by default; needs a maxResource. */
  readonly bootstrapCount?: number;
}

interface Brackets {
  /** By bracket: its share of trials, and who prunes it; bracket b leaves out the first b rungs. */
  readonly budgets: readonly number[];
  readonly pruners: readonly SuccessiveHalvingPruner[];
  readonly views: readonly StudyView[];
}

/**
 * Hyperband (Li et al. 2018): several successive halvings, from eager to patient, among which trials are divided.
 *
 * A trial's bracket is crc32("<study>_<number>") modulo the total budget, so that every process agrees on it; the
 * sampler learns from the trials of the same bracket alone. With maxResource 'auto' nothing is pruned before a
 * trial has completed, and nothing at all where the first that does takes fewer steps than minResource.
 *
 * From 1 to 1000 by 10 there are four brackets, as in the paper; Optuna's, from a quotient of logarithms, are three.
 */
export class HyperbandPruner implements Pruner {
  readonly #options: Required<HyperbandOptions>;
  readonly #brackets = new WeakMap<StudyView, Brackets>();

  constructor({
    minResource = 1,
    maxResource = 'auto',
    reductionFactor = 3,
    bootstrapCount = 0,
  }: HyperbandOptions = {}) {
    if (maxResource !== 'auto' && !(maxResource >= minResource))
      throw new UserError(
        `maxResource: expected ${minResource} (minResource) or more, or 'auto', got ${maxResource}`,
      );
    if (maxResource !== 'auto' && !Number.isSafeInteger(maxResource))
      throw new UserError(`maxResource: expected an integer or 'auto', got ${maxResource}`, { maxResource });
    if (bootstrapCount > 0 && maxResource === 'auto') {
      throw new UserError('bootstrapCount: it needs a maxResource that is a number');
    }
    // The options that the brackets share are checked by their own constructor.
    new SuccessiveHalvingPruner({ minResource, reductionFactor, bootstrapCount });
    this.#options = { minResource, maxResource, reductionFactor, bootstrapCount };
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const brackets = this.#of(study);
    if (!brackets?.pruners.length) return false;
    const index = bracketOf(brackets, study.studyName, trial.number);
    return brackets.pruners[index]!.prune(brackets.views[index]!, trial);
  }

  view(study: StudyView, trial: FrozenTrial): StudyView {
    const brackets = this.#of(study);
    return brackets?.views.length
      ? brackets.views[bracketOf(brackets, study.studyName, trial.number)]!
      : study;
  }

  /** The brackets of a study, from when the number of its steps is known. */
  #of(study: StudyView): Brackets | null {
    const cached = this.#brackets.get(study);
    if (cached) return cached;
    const { minResource, maxResource, reductionFactor, bootstrapCount } = this.#options;
    const most = maxResource === 'auto' ? longest(study) : maxResource;
    if (most === null) return null;
    const count = rungsUpTo(most, minResource, reductionFactor);
    const indices = Array.from({ length: count }, (_, index) => index);
    const brackets: Brackets = {
      budgets: indices.map((index) => {
        const s = count - 1 - index;
        return Math.ceil((count * reductionFactor ** s) / (s + 1));
      }),
      pruners: indices.map(
        (minEarlyStoppingRate) =>
          new SuccessiveHalvingPruner({ minResource, reductionFactor, minEarlyStoppingRate, bootstrapCount }),
      ),
      views: indices.map(
        (index) =>
          new FilteredView(study, ({ number }) => bracketOf(brackets, study.studyName, number) === index),
      ),
    };
    this.#brackets.set(study, brackets);
    return brackets;
  }
}

/** ⌊log(most / least) / log(factor)⌋ + 1, at exact powers too, where the quotient of logarithms may fall short. */
function rungsUpTo(most: number, least: number, factor: number): number {
  let count = 0;
  for (let step = least; step <= most; step *= factor) count++;
  return count;
}

function bracketOf({ budgets }: Brackets, studyName: string, number: number): number {
  const total = budgets.reduce((sum, budget) => sum + budget, 0);
  let rest = zlib.crc32(`${studyName}_${number}`) % total;
  return budgets.findIndex((budget) => {
    rest -= budget;
    return rest < 0;
  });
}

/** One more than the last step of the longest COMPLETE trial, or null before the first that reported. */
function longest(study: StudyView): number | null {
  let last: number | null = null;
  for (const trial of study.finished) {
    const step = trial.state === 'COMPLETE' ? lastStep(trial) : null;
    if (step !== null) last = Math.max(last ?? 0, step);
  }
  return last === null ? null : last + 1;
}
