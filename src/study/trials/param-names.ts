import type { Distribution } from './distribution.js';

type Distributions = Readonly<Record<string, Distribution>>;

const INDEX = /^(0|[1-9]\d*)$/;
/** The order from the first name on that looks like an array's index, since the object itself loses it. */
const orders = new WeakMap<Distributions, string[]>();

/**
 * The names of a trial's parameters in the order in which they were suggested.
 *
 * JavaScript's objects list names like '2' and '10' first and by size, whenever they came; so their order is kept
 * beside them.
 */
export function paramNames(distributions: Distributions): readonly string[] {
  return orders.get(distributions) ?? Object.keys(distributions);
}

/** Records the place of a name, before it is set. */
export function noteParamName(distributions: Distributions, name: string): void {
  if (Object.hasOwn(distributions, name)) return;
  const order = orders.get(distributions);
  if (order) order.push(name);
  else if (INDEX.test(name)) orders.set(distributions, [...Object.keys(distributions), name]);
}

/** A shallow copy that keeps the order. */
export function copyDistributions(distributions: Distributions = {}): Record<string, Distribution> {
  const copy = { ...distributions };
  const order = orders.get(distributions);
  if (order) orders.set(copy, [...order]);
  return copy;
}
