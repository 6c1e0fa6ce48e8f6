import { UserError } from '../../base/errors.js';
import { NumpyRandom } from '../../random/numpy-random.js';
import type { StudyView } from '../contracts/study-view.js';
import {
  type Choice,
  contains,
  type Distribution,
  type ParamValue,
  rangeText,
  toInternal,
} from '../trials/distribution.js';
import type { FrozenTrial, Json } from '../trials/frozen-trial.js';
import { IndependentSampler } from './shared/independent-sampler.js';

/** The system attributes that tell which point of which grid a trial has; Optuna's. */
const POINT = 'grid_id';
const GRID = 'search_space';

/** The progress of one study on the grid. */
interface Progress {
  seen: number;
  /** Points whose trial has ended, in whatever state. */
  readonly visited: Set<number>;
}

/**
 * Tries every combination of the given values once, in an order that the seed shuffles, then stops the study.
 *
 * Trial n has point n of that order, so that workers with one seed do not collide; where points were lost, those left
 * are drawn at random. A value outside the range that is asked for is used all the same, with a warning. Points that run elsewhere when the last
 * one is handed out may be tried twice.
 *
 * @example
 * new GridSampler({ rank: [4, 8, 16], rate: [1e-4, 1e-3, 1e-2] });
 */
export class GridSampler extends IndependentSampler {
  readonly #names: readonly string[];
  readonly #grid: Readonly<Record<string, readonly Choice[]>>;
  readonly #points: readonly (readonly Choice[])[];
  readonly #random: NumpyRandom;
  readonly #progress = new WeakMap<StudyView, Progress>();

  /** @throws UserError when a parameter has no value. */
  constructor(
    grid: Readonly<Record<string, readonly Choice[]>>,
    { seed = 0 }: { readonly seed?: number } = {},
  ) {
    super();
    this.#names = Object.keys(grid).sort();
    for (const name of this.#names)
      if (grid[name]!.length === 0)
        throw new UserError(`grid: expected values for "${name}", got none`, { name });
    this.#grid = Object.fromEntries(this.#names.map((name) => [name, [...grid[name]!]]));
    this.#random = NumpyRandom.fromSeed(seed);
    const points = this.#names.reduce<Choice[][]>(
      (rows, name) => rows.flatMap((row) => grid[name]!.map((value) => [...row, value])),
      [[]],
    );
    this.#random.shuffle(points);
    this.#points = points;
  }

  /** The number of combinations. */
  get size(): number {
    return this.#points.length;
  }

  /** Assigns the trial a point of the grid that no other has. */
  beforeTrial(study: StudyView, trial: FrozenTrial): void {
    const { number, systemAttrs } = trial;
    if (POINT in systemAttrs || 'fixed_params' in systemAttrs) return;
    const point = number < this.size ? number : this.#open(study);
    study.setTrialSystemAttr(trial, GRID, this.#grid);
    study.setTrialSystemAttr(trial, POINT, point);
  }

  /** @throws UserError when the grid lacks the parameter, or the trial was enqueued without it. */
  sampleIndependent(
    study: StudyView,
    trial: FrozenTrial,
    name: string,
    distribution: Distribution,
  ): ParamValue {
    const point = trial.systemAttrs[POINT];
    if (typeof point !== 'number')
      throw new UserError(`grid: an enqueued trial needs all parameters, it lacks "${name}"`, { name });
    const index = this.#names.indexOf(name);
    if (index < 0)
      throw new UserError(`grid: expected one of ${this.#names.join(', ')}, got "${name}"; add it`, { name });
    const value = this.#points[point]![index]!;
    if (!contains(distribution, toInternal(distribution, value)))
      study.warn(
        'grid-value',
        `trial ${trial.number}: the grid's "${name}" is ${value}, outside its range, ${rangeText(distribution)}; it ` +
          'is used all the same',
      );
    return value;
  }

  /** Stops the study when this was the last point. */
  afterTrial(study: StudyView, trial: FrozenTrial): void {
    const visited = this.#visited(study);
    const point = trial.systemAttrs[POINT];
    const remaining = this.size - visited.size;
    if (remaining === 0 || (remaining === 1 && typeof point === 'number' && !visited.has(point)))
      study.stop();
  }

  /** A point that is not visited, if possible one that does not run either; of the whole grid when all are visited. */
  #open(study: StudyView): number {
    const visited = this.#visited(study);
    const running = new Set(
      whole(study)
        .active.filter((trial) => trial.state === 'RUNNING' && this.#isOfGrid(trial))
        .map(({ systemAttrs }) => systemAttrs[POINT] as number),
    );
    const all = [...this.#points.keys()];
    const notVisited = all.filter((point) => !visited.has(point));
    const notStarted = notVisited.filter((point) => !running.has(point));
    const targets = [notStarted, notVisited, all].find(({ length }) => length > 0)!;
    return targets[this.#random.integer(targets.length)]!;
  }

  #visited(view: StudyView): ReadonlySet<number> {
    const study = whole(view);
    const progress = this.#progress.get(study) ?? { seen: 0, visited: new Set() };
    this.#progress.set(study, progress);
    for (; progress.seen < study.finished.length; progress.seen++) {
      const trial = study.finished[progress.seen]!;
      if (this.#isOfGrid(trial)) progress.visited.add(trial.systemAttrs[POINT] as number);
    }
    return progress.visited;
  }

  #isOfGrid({ systemAttrs }: FrozenTrial): boolean {
    if (typeof systemAttrs[POINT] !== 'number') return false;
    const grid = systemAttrs[GRID] as Readonly<Record<string, readonly Json[]>>;
    return (
      Object.keys(grid).length === this.#names.length &&
      this.#names.every((name) => {
        const [ours, theirs] = [this.#grid[name]!, grid[name]];
        return ours.length === theirs?.length && ours.every((value, i) => Object.is(value, theirs[i]));
      })
    );
  }
}

/** True, also under a pruner that shows a part: the grid belongs to the whole study. */
function whole(study: StudyView): StudyView {
  return study.whole ?? study;
}
