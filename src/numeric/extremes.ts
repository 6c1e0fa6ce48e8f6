/** The largest number, of however many; NaN counts as absent. −∞ where there is none. */
export function maxOf(values: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i]! > most) most = values[i]!;
  return most;
}

/** The smallest number, of however many; NaN counts as absent. +∞ where there is none. */
export function minOf(values: ArrayLike<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i]! < least) least = values[i]!;
  return least;
}

/** The index of the largest number, the first of equals; NaN is chosen only where there is nothing else. */
export function argMax(values: ArrayLike<number>): number {
  let place = 0;
  for (let i = 1; i < values.length; i++)
    if (values[i]! > values[place]! || Number.isNaN(values[place]!)) place = i;
  return place;
}

/**
 * The power of two to divide numbers by so that sums of their squares neither overflow nor vanish; 1, so that no bit
 * changes, where they do not. Those that are not finite do not count.
 */
export function squareScale(values: ArrayLike<number>): number {
  let size = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]!);
    if (magnitude > size && magnitude < Number.POSITIVE_INFINITY) size = magnitude;
  }
  return size === 0 || (size > 1e-100 && size < 1e100) ? 1 : 2 ** Math.floor(Math.log2(size));
}
