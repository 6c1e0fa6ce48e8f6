import { UserError } from '../../../base/errors.js';
import type { Params, Sampler } from '../../contracts/sampler.js';
import type { StudyView } from '../../contracts/study-view.js';
import type { Distribution, SearchSpace } from '../../trials/distribution.js';
import { isSingle } from '../../trials/distribution.js';
import type { FrozenTrial } from '../../trials/frozen-trial.js';
import { numericPart } from '../shared/common-space.js';
import { anySeed, KeyedUniform } from '../shared/keyed-uniform.js';
import { SamplerDelegate } from '../shared/sampler-delegate.js';
import { unitCube } from '../shared/unit-cube.js';
import { halton } from './halton.js';
import { sobol } from './sobol.js';

const SEQUENCES = { sobol, halton };

/** Options of `QmcSampler`. */
export interface QmcOptions {
  /** `sobol` by default: the better one for up to 256 dimensions, in powers of two. */
  readonly sequence?: keyof typeof SEQUENCES;
  /** Whether the points are randomised by the seed; without it, by default, the first is the low corner. */
  readonly scramble?: boolean;
  /** Workers that share a study share a scrambled sequence only when they have the same seed. */
  readonly seed?: number;
  /**
   * The sampler for everything outside the sequence: the first trial, categorical parameters. By default uniformly.
   */
  readonly independent?: Sampler;
}

/**
 * Proposes the points of a low-discrepancy sequence, which fill a space more evenly than random ones.
 *
 * The space is that of the earliest COMPLETE trial, without its categorical parameters. Trial n takes point n − 1,
 * so that any number of workers share one sequence without a word; points whose trial came before a space was known,
 * was enqueued or failed are left out. Optuna's defaults (4.9); its workers count points in the storage instead.
 *
 * @example
 * const study = await createStudy({ sampler: new QmcSampler({ scramble: true, seed: 1 }) });
 */
export class QmcSampler extends SamplerDelegate {
  readonly #sequence: keyof typeof SEQUENCES;
  readonly #seed: number | undefined;
  readonly #spaces = new WeakMap<StudyView, { seen: number; first: number; space: SearchSpace }>();
  readonly #points = new Map<number, (index: number) => number[]>();

  constructor({ sequence = 'sobol', scramble = false, seed = anySeed(), independent }: QmcOptions = {}) {
    if (!Object.hasOwn(SEQUENCES, sequence))
      throw new UserError(`sequence: expected sobol or halton, got "${String(sequence)}"`, { sequence });
    super(independent ?? new KeyedUniform(seed));
    this.#sequence = sequence;
    this.#seed = scramble ? seed : undefined;
  }

  override inferRelativeSearchSpace(study: StudyView): SearchSpace {
    const progress = this.#spaces.get(study) ?? {
      seen: 0,
      first: Number.POSITIVE_INFINITY,
      space: new Map<string, Distribution>(),
    };
    this.#spaces.set(study, progress);
    for (; progress.seen < study.finished.length; progress.seen++) {
      const { state, number, distributions } = study.finished[progress.seen]!;
      if (state !== 'COMPLETE' || number > progress.first) continue;
      progress.first = number;
      progress.space = numericPart(new Map(Object.entries(distributions).filter(([, d]) => !isSingle(d))));
    }
    return progress.space;
  }

  override sampleRelative(_study: StudyView, trial: FrozenTrial, space: SearchSpace): Params {
    const points = this.#points.get(space.size) ?? SEQUENCES[this.#sequence](space.size, this.#seed);
    this.#points.set(space.size, points);
    return unitCube(space).toParams(points(Math.max(0, trial.number - 1)));
  }
}
