import { createHash } from 'node:crypto';
import { shuffled } from './shuffled.js';

/** Names what belongs together: a patient, a video, a breed. */
export type GroupOf<I> = (item: I) => string;

/** Items by the name of their group, groups in the order of their first items. */
export function grouped<I>(items: Iterable<I>, by: GroupOf<I>): Map<string, I[]> {
  const groups = new Map<string, I[]>();
  for (const item of items) {
    const name = by(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

/**
 * Divides whole groups by shares of the items: no group is in two splits.
 *
 * By `upstream` the groups, shuffled as CPython shuffles, are laid end to end, and each falls where its middle lies: train,
 * validation, test, at the shares' borders. By `hash` each falls by the hash of its own name, whatever else there is.
 */
export function cutGroups<I>(
  groups: ReadonlyMap<string, readonly I[]>,
  {
    validation,
    test,
    seed,
    rule,
  }: {
    readonly validation: number;
    readonly test: number;
    readonly seed: number;
    readonly rule: 'upstream' | 'hash';
  },
): Record<'train' | 'validation' | 'test', I[]> {
  const splits: Record<'train' | 'validation' | 'test', I[]> = { train: [], validation: [], test: [] };
  const all = [...groups.values()].reduce((sum, { length }) => sum + length, 0);
  const order = rule === 'hash' ? [...groups] : shuffled([...groups], seed);
  let before = 0;
  for (const [name, items] of order) {
    const middle = rule === 'hash' ? hashPlace(seed, name) : 1 - (before + items.length / 2) / all;
    const side = middle < test ? 'test' : middle < test + validation ? 'validation' : 'train';
    splits[side].push(...items);
    before += items.length;
  }
  return splits;
}

/** A number from 0 up to 1 that depends on the seed and a name alone. */
export function hashPlace(seed: number, name: string): number {
  return createHash('sha256').update(`${seed}/${name}`).digest().readUIntBE(0, 6) / 2 ** 48;
}
