/** Counts of the finite values of a tensor, in intervals of equal width from `min` to `max`. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  /** Of the values that are counted. */
  readonly sum: number;
  readonly sumSquares: number;
  /** One for each interval, in rising order. */
  readonly counts: readonly number[];
}

/**
 * The distribution of values, without those that are not finite; undefined where there are none. The maximum counts in the
 * last interval. Values that are all alike are in one interval.
 *
 * @example
 * histogramOf([0, 1, 1, 4], 2); // => { min: 0, max: 4, sum: 6, sumSquares: 18, counts: [3, 1] }
 */
export function histogramOf(values: ArrayLike<number>, intervals = 30): Histogram | undefined {
  let [min, max, sum, sumSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    sumSquares += value * value;
  }
  if (min > max) return undefined;
  const counts = Array.from({ length: min === max ? 1 : intervals }, () => 0);
  const scale = counts.length / (max - min || 1);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) counts[Math.min(counts.length - 1, Math.floor((value - min) * scale))]!++;
  }
  return { min, max, sum, sumSquares, counts };
}

/** The edges of a histogram's intervals: one more than there are counts. */
export function edgesOf({ min, max, counts }: Histogram): number[] {
  const width = (max - min) / counts.length;
  return [...counts.map((_, i) => min + i * width), max];
}
