import type { StudyView } from '../../contracts/study-view.js';
import { type Distribution, isSingle, type SearchSpace } from '../../trials/distribution.js';
import type { TrialState } from '../../trials/frozen-trial.js';
import { sameDistribution } from '../../trials/same-distribution.js';

interface Known {
  seen: number;
  space: Map<string, Distribution> | null;
}

/**
 * The parameters that all trials so far have, from the same range: what a sampler can propose together.
 *
 * A name whose range moves, or that a trial lacks, is out for good. In the order of the names; without the
 * single-valued. Kept up to date at the cost of what is new.
 */
export class CommonSpace {
  readonly #known = new WeakMap<StudyView, Known>();

  /** @param states of the trials that count */
  constructor(private readonly states: readonly TrialState[] = ['COMPLETE']) {}

  /** Empty where no trial counts yet. */
  of(study: StudyView): SearchSpace {
    const progress = this.#known.get(study) ?? { seen: 0, space: null };
    this.#known.set(study, progress);
    for (; progress.seen < study.finished.length; progress.seen++) {
      const { state, distributions } = study.finished[progress.seen]!;
      if (!this.states.includes(state)) continue;
      if (progress.space === null) {
        const multiple = Object.entries(distributions).filter(([, distribution]) => !isSingle(distribution));
        progress.space = new Map(multiple.sort(([a], [b]) => (a < b ? -1 : 1)));
      } else
        for (const [name, distribution] of progress.space)
          if (!Object.hasOwn(distributions, name) || !sameDistribution(distribution, distributions[name]!))
            progress.space.delete(name);
    }
    return progress.space ?? new Map();
  }
}

/** The part of a space that is a cube: without the categorical parameters. */
export function numericPart(space: SearchSpace): SearchSpace {
  return new Map([...space].filter(([, { name }]) => name !== 'CategoricalDistribution'));
}
