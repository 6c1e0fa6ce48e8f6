import { UserError } from '../base/errors.js';

/**
 * Values by place, made when they are asked for: an array is one, and so are `batchPlans` and all that is made of
 * sequences.
 *
 * `at` is a pure function of the place, so that any place can be asked for directly, and a sequence of a billion costs
 * no memory. Its length may be Infinity.
 */
export interface Sequence<T> extends Iterable<T> {
  readonly length: number;
  /** The value at a place from 0 up; undefined past the end. */
  at(place: number): T | undefined;
}

/**
 * The sequence of a length and a function of the place, which is called for places within it alone.
 *
 * @example
 * [...sequence(3, (place) => 10 * place)]; // => [0, 10, 20]
 */
export function sequence<T>(length: number, value: (place: number) => T): Sequence<T> {
  return {
    length,
    at: (place) => (place >= 0 && place < length ? value(place) : undefined),
    *[Symbol.iterator]() {
      for (let place = 0; place < length; place++) yield value(place);
    },
  };
}

/**
 * The places of a sequence from `from` up to `to`: what `Array.prototype.slice` is to an array.
 *
 * @example
 * [...slice(['a', 'b', 'c', 'd'], 1, 3)]; // => ['b', 'c']
 */
export function slice<T>(values: Sequence<T>, from: number, to = Number.POSITIVE_INFINITY): Sequence<T> {
  place('from', from);
  const end = Math.min(values.length, to);
  return sequence(Math.max(0, end - from), (i) => values.at(from + i)!);
}

/**
 * Sequences one after another.
 *
 * @example
 * [...concatenate(['a', 'b'], ['c'])]; // => ['a', 'b', 'c']
 */
export function concatenate<T>(...parts: readonly Sequence<T>[]): Sequence<T> {
  const starts = [0];
  for (const { length } of parts) starts.push(starts.at(-1)! + length);
  return sequence(starts.at(-1)!, (i) => {
    const part = lastAtMost(starts, i);
    return parts[part]!.at(i - starts[part]!)!;
  });
}

/**
 * A sequence again and again: without end, or so many times.
 *
 * @example
 * [...repeat(['a', 'b'], 2)]; // => ['a', 'b', 'a', 'b']
 */
export function repeat<T>(values: Sequence<T>, times = Number.POSITIVE_INFINITY): Sequence<T> {
  if (times !== Number.POSITIVE_INFINITY) place('times', times);
  const { length } = values;
  return sequence(length === 0 ? 0 : length * times, (i) => values.at(i % length)!);
}

/** One of several workers. */
export interface Worker {
  /** From 0. */
  readonly index: number;
  /** The number of workers. */
  readonly count: number;
}

/**
 * The part of a sequence that one of several workers takes: every `count`-th place from `index` on.
 *
 * Together the workers take each place once. Resumed after `n` places in all, they take the rest between them whatever
 * their number is now: `shard(batchPlans(items, { …, from: n }), { index, count })`.
 *
 * @example
 * [...shard(['a', 'b', 'c', 'd', 'e'], { index: 1, count: 2 })]; // => ['b', 'd']
 */
export function shard<T>(values: Sequence<T>, { index, count }: Worker): Sequence<T> {
  if (!Number.isInteger(count) || count < 1)
    throw new UserError(`shard: expected a count of workers from 1 up, got ${count}`, { count });
  if (!Number.isInteger(index) || index < 0 || index >= count)
    throw new UserError(`shard: expected a worker from 0 to ${count - 1}, got ${index}`, { index, count });
  const length = Math.max(0, Math.ceil((values.length - index) / count));
  return sequence(length, (i) => values.at(index + i * count)!);
}

/** The last place of sorted numbers whose number is at most `value`. */
export function lastAtMost(sorted: ArrayLike<number>, value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

function place(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0)
    throw new UserError(`${name}: expected an integer from 0 up, got ${value}`, { [name]: value });
}
