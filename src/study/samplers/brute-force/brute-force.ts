import { UserError } from '../../../base/errors.js';
import { NumpyRandom } from '../../../random/numpy-random.js';
import type { StudyView } from '../../contracts/study-view.js';
import { type Distribution, type ParamValue, toExternal } from '../../trials/distribution.js';
import type { FrozenTrial } from '../../trials/frozen-trial.js';
import { decimals } from '../../trials/make-distribution.js';
import { paramNames } from '../../trials/param-names.js';
import { IndependentSampler } from '../shared/independent-sampler.js';
import { SpaceTree, type TreeNode } from './space-tree.js';

/** Options of `BruteForceSampler`. */
export interface BruteForceOptions {
  /** 32 bits; the order in which the space is tried. By default unlike any other's. */
  readonly seed?: number;
  /**
   * Go on until every combination has ended, at the price of trying some twice; by default it is enough that all have
   * begun.
   */
  readonly avoidPrematureStop?: boolean;
}

/** The sampler's memory of one study. */
interface Known {
  readonly tree: SpaceTree;
  seen: number;
}

/**
 * Tries every combination of the space that the objective defines as it runs, conditional parts included, then stops
 * the study.
 *
 * Floats need a step. A branch is chosen half by how much of it is open, half evenly, so that none waits to the end.
 *
 * @example
 * const study = await createStudy({ sampler: new BruteForceSampler() });
 */
export class BruteForceSampler extends IndependentSampler {
  readonly #random: NumpyRandom;
  readonly #avoidPrematureStop: boolean;
  readonly #known = new WeakMap<StudyView, Known>();

  constructor({ seed, avoidPrematureStop = false }: BruteForceOptions = {}) {
    super();
    this.#random = NumpyRandom.fromSeed(seed);
    this.#avoidPrematureStop = avoidPrematureStop;
  }

  /** @throws UserError when the distribution is endless, or the study asked otherwise at this place before. */
  sampleIndependent(
    study: StudyView,
    trial: FrozenTrial,
    name: string,
    distribution: Distribution,
  ): ParamValue {
    const values = candidates(name, distribution);
    const { tree, release } = this.#tree(study, trial);
    const node = tree.follow(pathOf(trial));
    if (node) tree.expand(node, name, values);
    const index =
      node && node.open > 0 ? this.#random.index(weightsOf(node)) : this.#random.integer(values.length);
    release();
    return toExternal(distribution, values[index]!);
  }

  /** Notes the combination as tried, and stops the study when none is left. */
  afterTrial(study: StudyView, trial: FrozenTrial): void {
    const { tree, release } = this.#tree(study, trial);
    tree.end(pathOf(trial));
    const { open } = tree.root;
    release();
    if (open === 0) study.stop();
  }

  /** The tree of all trials that ended, with those that run beside this one marked until they are released. */
  #tree(view: StudyView, trial: FrozenTrial): { tree: SpaceTree; release: () => void } {
    const study = view.whole ?? view;
    const progress = this.#known.get(study) ?? { tree: new SpaceTree(), seen: 0 };
    this.#known.set(study, progress);
    for (; progress.seen < study.finished.length; progress.seen++)
      progress.tree.end(pathOf(study.finished[progress.seen]!));
    const running = study.active.filter(
      ({ state, number }) => state === 'RUNNING' && number !== trial.number,
    );
    const marks = running.flatMap(
      (other) => progress.tree.markRunning(pathOf(other), !this.#avoidPrematureStop) ?? [],
    );
    return { tree: progress.tree, release: () => marks.forEach((node) => progress.tree.unmark(node)) };
  }
}

/** The most values of a parameter: a larger grid could not be tried out. */
const MOST_VALUES = 100_000;

/** A trial's suggestions in order: the name, the candidates and the choice. */
function pathOf({ distributions, internalParams }: FrozenTrial) {
  return paramNames(distributions).map((name) => ({
    name,
    values: candidates(name, distributions[name]!),
    value: internalParams[name]!,
  }));
}

function candidates(name: string, distribution: Distribution): readonly number[] {
  if (distribution.name === 'CategoricalDistribution') return distribution.choices.map((_, i) => i);
  const { low, high, step } = distribution;
  if (step === null)
    throw new UserError(`brute force: "${name}" has endless values; give it a step`, { name });
  const digits = Math.min(15, Math.max(decimals(low), decimals(step)));
  const count = Math.floor((high - low) / step + 1e-8) + 1;
  if (count > MOST_VALUES)
    throw new UserError(
      `brute force: "${name}" has ${count.toLocaleString('en')} values; narrow it or give it a larger step`,
      { name, count },
    );
  return Array.from({ length: count }, (_, k) => Number((low + k * step).toFixed(digits)));
}

/** The probability of each child; one that is running is chosen only when no other is open. */
function weightsOf({ children }: TreeNode): Float64Array {
  const nodes = [...children!.values()];
  const open = Float64Array.from(nodes, (child) => child.open);
  const total = open.reduce((a, b) => a + b);
  const some = open.filter((count) => count > 0).length;
  const weights = open.map((count) => 0.5 * (count / total) + 0.5 * (count > 0 ? 1 / some : 0));
  if (nodes.some((child, i) => !child.running && weights[i]! > 0))
    nodes.forEach((child, i) => {
      if (child.running) weights[i] = 0;
    });
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}
