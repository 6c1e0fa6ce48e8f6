import { permutation } from './permutation.js';

/**
 * The order of an epoch over `count` items: a function from the place in the epoch to the item's index.
 *
 * An index of `count` or more is a repetition: index k · count + i is item i for the (k + 1)-th time, so that it is
 * augmented in another way than the first time.
 */
export type Order = (count: number, seed: number, epoch: number) => (place: number) => number;

/** The items as they lie. */
export const inOrder: Order = () => (place) => place;

/** All items in an order of the epoch's own, by a pseudo-random permutation. */
export const shuffle: Order = (count, seed, epoch) => permutation(count, seed, 'shuffle', epoch);
