/** Numbers kept in ascending order, without NaN: O(log n) to find a place, and a short move to make it. */
export class SortedValues {
  readonly values: number[] = [];

  add(value: number): void {
    if (!Number.isNaN(value)) this.values.splice(this.countBelow(value), 0, value);
  }

  /** How many are less than `value`. */
  countBelow(value: number): number {
    return this.#search((each) => each < value);
  }

  /** How many are less than or equal to `value`. */
  countUpTo(value: number): number {
    return this.#search((each) => each <= value);
  }

  /**
   * The q-th percentile, linear between neighbours, as numpy's default (Hyndman & Fan 1996, type 7).
   *
   * @returns NaN where there is no value, and, as numpy's, where a neighbour is infinite
   */
  percentile(q: number): number {
    const { values } = this;
    if (values.length === 0) return Number.NaN;
    const place = (q / 100) * (values.length - 1);
    const low = Math.floor(place);
    const [a, b] = [values[low]!, values[Math.min(low + 1, values.length - 1)]!];
    const t = place - low;
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
  }

  #search(isBefore: (value: number) => boolean): number {
    let [low, high] = [0, this.values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(this.values[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
