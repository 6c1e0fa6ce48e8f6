import type { StudyView } from '../../contracts/study-view.js';
import { constraintsOf, isFeasible, violationOf } from '../../trials/constraints.js';
import { type FrozenTrial, lastStep } from '../../trials/frozen-trial.js';
import type { TpeSettings } from './options.js';
import { selectTrials } from './select-trials.js';

/** Finished trials of one kind, the best one first, and the earlier one of equals. */
type Ranked = { readonly trial: FrozenTrial; readonly score: readonly number[] }[];

/**
 * The finished trials of one study as TPE ranks them: COMPLETE ones by value, then PRUNED ones by how far they came,
 * then those that violate their constraints by how much.
 *
 * It takes what is new at each update, so that ranking costs O(log n) a trial and the search for a place in a list.
 */
export class TpeHistory {
  /** COMPLETE and PRUNED trials in the order of their arrival. */
  readonly arrived: FrozenTrial[] = [];
  /** Of several objectives, the COMPLETE ones that violate nothing, by number. */
  readonly #complete: FrozenTrial[] = [];
  readonly #ranks: { complete: Ranked; pruned: Ranked; infeasible: Ranked } = {
    complete: [],
    pruned: [],
    infeasible: [],
  };
  readonly #signs: readonly number[];
  #seen = 0;
  #split: { size: number; count: number; below: readonly FrozenTrial[] } | undefined;

  constructor(
    private readonly study: StudyView,
    private readonly settings: TpeSettings,
  ) {
    this.#signs = study.directions.map((direction) => (direction === 'maximize' ? -1 : 1));
  }

  update(): void {
    const { finished } = this.study;
    for (; this.#seen < finished.length; this.#seen++) {
      const trial = finished[this.#seen]!;
      if (trial.state !== 'FAIL') this.#add(trial);
    }
  }

  /** The good trials, by number: the best `count`, where there are as many. */
  below(count: number): readonly FrozenTrial[] {
    const size = this.arrived.length;
    if (this.#split?.size === size && this.#split.count === count) return this.#split.below;
    const below =
      this.#signs.length > 1
        ? selectTrials(this.#complete, this.#signs, Math.min(count, this.#complete.length))
        : this.#ranks.complete.slice(0, count).map(({ trial }) => trial);
    for (const list of [this.#ranks.pruned, this.#ranks.infeasible]) {
      for (let i = 0; i < list.length && below.length < count; i++) below.push(list[i]!.trial);
    }
    below.sort((a, b) => a.number - b.number);
    this.#split = { size, count, below };
    return below;
  }

  #add(trial: FrozenTrial): void {
    this.arrived.push(trial);
    const violation = this.#violation(trial);
    if (violation > 0) insert(this.#ranks.infeasible, trial, [violation]);
    else if (trial.state === 'PRUNED') insert(this.#ranks.pruned, trial, this.#prunedScore(trial));
    else if (this.#signs.length === 1)
      insert(this.#ranks.complete, trial, [this.#signs[0]! * trial.values![0]!]);
    else {
      let at = this.#complete.length;
      while (at > 0 && this.#complete[at - 1]!.number > trial.number) at--;
      this.#complete.splice(at, 0, trial);
    }
  }

  /** How much a trial violates its constraints; ∞ where this sampler evaluates some and none are noted. */
  #violation(trial: FrozenTrial): number {
    const { constraints, heedsNotedConstraints } = this.settings;
    if (!constraints && !heedsNotedConstraints) return 0;
    const violations = constraintsOf(trial);
    if (violations) return violationOf(violations);
    return heedsNotedConstraints && isFeasible(trial) ? 0 : Number.POSITIVE_INFINITY;
  }

  /** Later steps first, then the better value; without a report last. */
  #prunedScore(trial: FrozenTrial): readonly number[] {
    const step = lastStep(trial);
    if (step === null) return [1, 0];
    const value = trial.intermediateValues.get(step)!;
    return [-step, Number.isNaN(value) ? Number.POSITIVE_INFINITY : this.#signs[0]! * value];
  }
}

function insert(list: Ranked, trial: FrozenTrial, score: readonly number[]): void {
  const isBefore = (other: Ranked[number]) => {
    for (let i = 0; i < score.length; i++) {
      if (other.score[i] !== score[i]) return other.score[i]! < score[i]!;
    }
    return other.trial.number < trial.number;
  };
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(list[middle]!)) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, { trial, score });
}
