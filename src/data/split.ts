import { createHash } from 'node:crypto';
import { UserError } from '../base/errors.js';
import { say } from '../base/say.js';
import { MersenneTwister } from '../random/mersenne-twister.js';
import { addedTo, few, type SplitStems, splitAs } from './recorded-split.js';
import type { Item, Splits } from './types.js';

/** Options of `split` and `splitPairs`. */
export interface SplitOptions<I extends Item = Item> {
  /** Share of the pairs, 0 to 1. Default .2. */
  readonly validation?: number;
  /** Share of the pairs, 0 to 1. Default .1. */
  readonly test?: number;
  /** Seeds the shuffle, or the hashes. */
  readonly seed: number;
  /**
   * `upstream`: CPython's shuffle, then train | validation | test one after another.
   * `hash`: each pair by the hash of its own stem, so that added files move no other. Default `upstream`.
   */
  readonly rule?: 'upstream' | 'hash';
  /** Share of the pairs to use, 0 to 1. Default 1. */
  readonly percentage?: number;
  /**
   * Whether the percentage shrinks every split (as upstream does) or keeps the whole test split. Default `all`.
   */
  readonly shrink?: 'all' | 'keep-test';
  /**
   * Divides the items of each group by themselves, so that each split has its share of every group. Default: all are
   * one.
   */
  readonly by?: ((item: I) => string) | undefined;
  /**
   * The split that the run began with: it takes precedence over the other options, and pairs that were added later
   * are left out.
   */
  readonly recorded?: SplitStems | undefined;
}

/**
 * Divides pairs into train, validation and test, the same for the same seed.
 *
 * With `upstream` and `all`, total = ⌊n·percentage⌋, test = ⌊total·test⌋, validation = ⌊total·validation⌋, train = the
 * rest, taken in this order from the shuffled pairs: what Python's `random.seed(seed); random.shuffle(pairs)` gives.
 * `by` divides group by group by the same rule: a stratified split, in which a group of fewer than 10 has no test item.
 *
 * @example
 * const { train, validation, test } = splitPairs(pairs, { seed: 42, percentage: 0.25 });
 */
export function splitPairs<I extends Item>(pairs: readonly I[], options: SplitOptions<I>): Splits<I> {
  const { validation = 0.2, test = 0.1, seed, rule = 'upstream', percentage = 1, shrink = 'all' } = options;
  const { recorded } = options;
  if (recorded) {
    const added = addedTo(recorded, pairs);
    if (added.length > 0)
      say(
        `${few(added)}: added since the run began, so left out: it goes on with the pictures that it began with`,
      );
    return splitAs(recorded, pairs);
  }
  for (const [name, share] of Object.entries({ validation, test, percentage }))
    if (!(share >= 0 && share <= 1))
      throw new UserError(`${name}: expected a share from 0 to 1, got ${share}`, { [name]: share });
  if (options.by) return byGroup(pairs, options.by, options);
  const divide = (some: readonly I[]) =>
    rule === 'hash' ? byHash(some, validation, test, seed) : cut(some, validation, test);
  const pool = rule === 'hash' ? pairs : shuffled(pairs, seed);
  if (rule === 'upstream' && shrink === 'all')
    return complete(pairs, divide(pool.slice(0, Math.floor(pool.length * percentage))));
  const all = divide(pool);
  const part = (some: readonly I[]) => some.slice(0, Math.floor(some.length * percentage));
  return complete(pairs, {
    train: part(all.train),
    validation: part(all.validation),
    test: shrink === 'all' ? part(all.test) : all.test,
  });
}

/** The splits of each group, one group after another. */
function byGroup<I extends Item>(
  pairs: readonly I[],
  by: (item: I) => string,
  options: SplitOptions<I>,
): Splits<I> {
  const groups = new Map<string, I[]>();
  for (const pair of pairs) {
    const group = groups.get(by(pair));
    if (group) group.push(pair);
    else groups.set(by(pair), [pair]);
  }
  const parts = [...groups.values()].map((group) => splitPairs(group, { ...options, by: undefined }));
  const side = (name: 'train' | 'validation' | 'test') => parts.flatMap((part) => part[name]);
  return complete(pairs, { train: side('train'), validation: side('validation'), test: side('test') });
}

function cut<I extends Item>(pairs: readonly I[], validation: number, test: number): Splits<I> {
  const tests = Math.floor(pairs.length * test);
  const validations = Math.floor(pairs.length * validation);
  const trains = pairs.length - tests - validations;
  return {
    train: pairs.slice(0, trains),
    validation: pairs.slice(trains, trains + validations),
    test: pairs.slice(trains + validations),
  };
}

function byHash<I extends Item>(
  pairs: readonly I[],
  validation: number,
  test: number,
  seed: number,
): Splits<I> {
  const splits: Record<'train' | 'validation' | 'test', { pair: I; place: number }[]> = {
    train: [],
    validation: [],
    test: [],
  };
  for (const pair of pairs) {
    const place = createHash('sha256').update(`${seed}/${pair.stem}`).digest().readUIntBE(0, 6) / 2 ** 48;
    const split = place < test ? 'test' : place < test + validation ? 'validation' : 'train';
    splits[split].push({ pair, place });
  }
  const ordered = (split: keyof typeof splits) =>
    splits[split].toSorted((a, b) => a.place - b.place).map(({ pair }) => pair);
  return { train: ordered('train'), validation: ordered('validation'), test: ordered('test') };
}

/** Checks that there is something to train on, and notes what is left over. */
function complete<I extends Item>(pairs: readonly I[], splits: Splits<I>): Splits<I> {
  if (splits.train.length === 0)
    throw new UserError(
      'split: expected at least one training pair, got none; add pairs or raise --data-percentage',
    );
  const used = new Set([...splits.train, ...splits.validation, ...splits.test]);
  return { ...splits, unused: pairs.filter((pair) => !used.has(pair)) };
}

/**
 * What CPython's `random.seed(seed); random.shuffle(list)` leaves, bit for bit (Fisher & Yates; the index is drawn by
 * rejection from as many random bits as it needs).
 */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const twister = MersenneTwister.fromInteger(seed);
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const bits = 32 - Math.clz32(i + 1);
    let j = twister.bits(bits);
    while (j > i) j = twister.bits(bits);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
