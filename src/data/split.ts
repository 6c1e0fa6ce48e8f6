import { UserError } from '../base/errors.js';
import { say } from '../base/say.js';
import { cutGroups, type GroupOf, grouped, hashPlace } from './groups.js';
import { addedTo, few, type SplitStems, splitAs } from './recorded-split.js';
import { shuffled } from './shuffled.js';
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
   * Divides the items of each class by themselves, so that each split has its share of every class. Default: all are
   * one.
   */
  readonly by?: ((item: I) => string) | undefined;
  /** Keeps items together that belong together: a patient, a video, a breed. Default: each by itself. */
  readonly groups?: GroupOf<I> | undefined;
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
 * `by` divides class by class by the same rule: a stratified split, in which a class of fewer than 10 has no test item.
 * `groups` places whole groups, each where its middle falls; with `by` a group counts to the class of its first item.
 * A percentage then takes its share of each split.
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
  if (options.groups) return complete(pairs, wholeGroups(pairs, options.groups, options));
  if (options.by) return byClass(pairs, options.by, options);
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

/** The splits of each class, one class after another. */
function byClass<I extends Item>(
  pairs: readonly I[],
  by: (item: I) => string,
  options: SplitOptions<I>,
): Splits<I> {
  const classes = [...grouped(pairs, by).values()];
  const parts = classes.map((items) => splitPairs(items, { ...options, by: undefined }));
  return complete(pairs, joined(parts));
}

/** The splits of whole groups, class by class if `by` tells classes. */
function wholeGroups<I extends Item>(
  pairs: readonly I[],
  groups: GroupOf<I>,
  options: SplitOptions<I>,
): Splits<I> {
  const { validation = 0.2, test = 0.1, seed, rule = 'upstream', percentage = 1, shrink = 'all' } = options;
  const { by = () => '' } = options;
  const classes = grouped(grouped(pairs, groups), ([, [first]]) => by(first!));
  const shares = { validation, test, seed, rule };
  const all = joined([...classes.values()].map((some) => cutGroups(new Map(some), shares)));
  const part = (some: readonly I[]) => some.slice(0, Math.floor(some.length * percentage));
  return {
    train: part(all.train),
    validation: part(all.validation),
    test: shrink === 'all' ? part(all.test) : all.test,
  };
}

function joined<I extends Item>(parts: readonly Splits<I>[]): Splits<I> {
  const side = (name: 'train' | 'validation' | 'test') => parts.flatMap((part) => part[name]);
  return { train: side('train'), validation: side('validation'), test: side('test') };
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
    const place = hashPlace(seed, pair.stem);
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
