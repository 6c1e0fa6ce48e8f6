import type { CategoricalDistribution } from '../../trials/distribution.js';

const FULL = 25;

/**
 * The Parzen estimator of one categorical parameter for observations that come and go: the mass that `ParzenEstimator`
 * gives with the default weights, at a cost per choice that does not grow with their number.
 */
export class ChoiceColumn {
  /** The observations in order of their trials. */
  readonly #numbers: number[] = [];
  readonly #choices: number[] = [];
  /** By choice: how many, and the sum of their ranks. */
  readonly #counts: Float64Array;
  readonly #ranks: Float64Array;

  constructor(
    { choices }: CategoricalDistribution,
    private readonly priorWeight: number,
  ) {
    this.#counts = new Float64Array(choices.length);
    this.#ranks = new Float64Array(choices.length);
  }

  insert(number: number, choice: number): void {
    const rank = this.#rankOf(number);
    for (let i = rank; i < this.#choices.length; i++) this.#ranks[this.#choices[i]!]!++;
    this.#numbers.splice(rank, 0, number);
    this.#choices.splice(rank, 0, choice);
    this.#counts[choice]!++;
    this.#ranks[choice]! += rank;
  }

  remove(number: number): void {
    const rank = this.#rankOf(number);
    const choice = this.#choices[rank]!;
    this.#numbers.splice(rank, 1);
    this.#choices.splice(rank, 1);
    this.#counts[choice]!--;
    this.#ranks[choice]! -= rank;
    for (let i = rank; i < this.#choices.length; i++) this.#ranks[this.#choices[i]!]!--;
  }

  /** The logarithm of the mass at each choice but for a constant. */
  logDensity(points: Float64Array): Float64Array {
    const count = this.#numbers.length;
    const choices = this.#counts.length;
    if (count === 0) return points.map(() => 0);
    const ramp = Math.max(0, count - FULL);
    const first = 1 / count;
    const slope = ramp > 1 ? (1 - first) / (ramp - 1) : 0;
    const weights = this.#counts.map((n, choice) => first * n + slope * this.#ranks[choice]!);
    for (let rank = ramp; rank < count; rank++) weights[this.#choices[rank]!]! += 1 - first - slope * rank;
    const total = weights.reduce((a, b) => a + b);
    const base = this.priorWeight / (count + 1);
    const masses = weights.map(
      (weight) => (weight + base * total) / (1 + choices * base) + this.priorWeight / choices,
    );
    return points.map((choice) => Math.log(masses[choice]!));
  }

  #rankOf(number: number): number {
    let [low, high] = [0, this.#numbers.length];
    if (high === 0 || this.#numbers[high - 1]! < number) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#numbers[middle]! < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
