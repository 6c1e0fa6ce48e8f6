import { UserError } from '../base/errors.js';
import { type Sequence, sequence } from './sequence.js';

/** Options of `mix`. */
export interface MixOptions {
  /** How often each sequence comes, one number each; they need not add up to 1. Default: alike. */
  readonly weights?: readonly number[];
  /**
   * `first-exhausted` ends where a sequence has no more; `all-exhausted` ends where each has come to its end once, and
   * those that are shorter begin again. Default `first-exhausted`.
   */
  readonly stop?: 'first-exhausted' | 'all-exhausted';
}

/** Shares are whole multiples of one part in so many: products with places stay exact. */
const PARTS = 2 ** 20;

/** The most places that are counted; what has more has no end. */
const MOST = 2 ** 51;

/**
 * Takes from several sequences in turn, by weight and as evenly as can be; each keeps its own order.
 *
 * Which sequence comes at a place is a function of the place: a binary tree of the sequences gives each of its branches
 * ⌊place · share + ½⌋ of the places. No chance is involved: shuffle what is mixed, or the mixture, by `batchPlans`. Weights
 * are met to one part in a million.
 *
 * @throws UserError for an empty sequence, and for weights that are not one positive number each.
 * @example
 * [...mix([['a', 'b', 'c'], ['x']], { weights: [3, 1] })]; // => ['a', 'b', 'x', 'c']
 */
export function mix<T>(sequences: readonly Sequence<T>[], options: MixOptions = {}): Sequence<T> {
  const { weights = sequences.map(() => 1), stop = 'first-exhausted' } = options;
  if (weights.length !== sequences.length || !weights.every((weight) => weight > 0 && weight < Infinity))
    throw new UserError(
      `mix: expected a positive weight for each of ${sequences.length} sequences, got ${weights.join(', ')}`,
      { weights },
    );
  const empty = sequences.findIndex(({ length }) => length === 0);
  if (empty >= 0 || sequences.length === 0)
    throw new UserError(
      `mix: expected sequences with a value each, got ${sequences.length === 0 ? 'none' : `none in sequence ${empty}`}`,
    );
  const tree = branch(weights, 0, weights.length);
  const ends = sequences.map(({ length }, k) =>
    stop === 'first-exhausted' ? lastWithin(tree, k, length) : firstWith(tree, k, length),
  );
  const length = stop === 'first-exhausted' ? Math.min(...ends) : Math.max(...ends);
  return sequence(length, (place) => {
    const [k, own] = descend(tree, place);
    return sequences[k]!.at(own % sequences[k]!.length)!;
  });
}

/** A node gives `share` of each `PARTS` places to its left branch; a leaf is the number of a sequence. */
type Tree =
  | number
  | { readonly share: number; readonly middle: number; readonly left: Tree; readonly right: Tree };

function branch(weights: readonly number[], from: number, to: number): Tree {
  if (to - from === 1) return from;
  const middle = (from + to) >> 1;
  const sum = (some: readonly number[]) => some.reduce((a, b) => a + b, 0);
  const left = sum(weights.slice(from, middle));
  const share = Math.round((PARTS * left) / (left + sum(weights.slice(middle, to))));
  return {
    share: Math.min(PARTS - 1, Math.max(1, share)),
    middle,
    left: branch(weights, from, middle),
    right: branch(weights, middle, to),
  };
}

/** ⌊places · share + ½⌋, exactly, for as many places as there are integers. */
function toLeft(share: number, places: number): number {
  const rest = places % PARTS;
  return ((places - rest) / PARTS) * share + Math.floor((rest * share + PARTS / 2) / PARTS);
}

/** The sequence whose turn it is at a place, and how often it had it before. */
function descend(tree: Tree, place: number): [sequence: number, own: number] {
  let [node, own] = [tree, place];
  while (typeof node !== 'number') {
    const left = toLeft(node.share, own);
    if (toLeft(node.share, own + 1) > left) [node, own] = [node.left, left];
    else [node, own] = [node.right, own - left];
  }
  return [node, own];
}

/** How many of the first `places` are of sequence `k`. */
function turns(tree: Tree, k: number, places: number): number {
  let [node, own] = [tree, places];
  while (typeof node !== 'number') {
    const left = toLeft(node.share, own);
    [node, own] = k < node.middle ? [node.left, left] : [node.right, own - left];
  }
  return own;
}

/** The fewest places of which `count` are of sequence `k`. */
function firstWith(tree: Tree, k: number, count: number): number {
  let high = 1;
  while (turns(tree, k, high) < count) {
    high *= 2;
    if (high > MOST) return Infinity;
  }
  let low = 0;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (turns(tree, k, middle) >= count) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The most places of which no more than `count` are of sequence `k`. */
function lastWithin(tree: Tree, k: number, count: number): number {
  return firstWith(tree, k, count + 1) - 1;
}
