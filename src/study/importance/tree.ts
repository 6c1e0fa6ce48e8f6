/** One coordinate of the space that a tree divides: [0, 1], or so many choices, each as likely. */
export type Axis = 'range' | { readonly choices: number };

/** A cell's extent on an axis: an interval of [0, 1], or the choices that are true. */
export type Extent = readonly [from: number, to: number] | readonly boolean[];

/** A leaf: a box, and what the tree predicts in it. */
export interface Cell {
  readonly extents: readonly Extent[];
  readonly value: number;
}

/** Points by coordinate (`columns[axis][point]`; the index of a choice), and their values. */
export interface Points {
  readonly axes: readonly Axis[];
  readonly columns: readonly Float64Array[];
  readonly values: Float64Array;
}

interface Split {
  readonly axis: number;
  /** Points at or below go left; of choices, this one alone. */
  readonly at: number;
  readonly gain: number;
}

/** The points in order of each coordinate: sorted once, and divided with the cells. */
export function ordersOf({ columns }: Points): Uint32Array[] {
  return columns.map((column) =>
    Uint32Array.from(column.keys()).sort((a, b) => column[a]! - column[b]! || a - b),
  );
}

/**
 * The cells of a regression tree that divides until the values in each cell are equal or cannot be told apart, at
 * each step where the squared error falls most (Breiman et al. 1984, CART). Points weigh as often as they were drawn;
 * those of weight 0 take no part. O(points × axes) a level.
 */
export function growTree(points: Points, weights: Uint8Array, orders: readonly Uint32Array[]): Cell[] {
  const { axes, columns } = points;
  const root: Extent[] = axes.map((axis) =>
    axis === 'range' ? [0, 1] : Array.from({ length: axis.choices }, () => true),
  );
  const sampledOrders = orders.map((order) => order.filter((i) => weights[i]! > 0));
  const open: { orders: Uint32Array[]; extents: Extent[] }[] = [{ orders: sampledOrders, extents: root }];
  const cells: Cell[] = [];
  for (let node = open.pop(); node; node = open.pop()) {
    const split = bestSplit(points, weights, node.orders);
    if (!split) {
      cells.push({ extents: node.extents, value: mean(points.values, weights, node.orders[0]!) });
      continue;
    }
    const { axis, at } = split;
    const goesLeft = (i: number) =>
      axes[axis] === 'range' ? columns[axis]![i]! <= at : columns[axis]![i] === at;
    const [left, right] = divided(node.extents[axis]!, at);
    const side = (extent: Extent, keep: (i: number) => boolean) => ({
      orders: node.orders.map((order) => order.filter(keep)),
      extents: node.extents.map((old, i) => (i === axis ? extent : old)),
    });
    open.push(
      side(left, goesLeft),
      side(right, (i) => !goesLeft(i)),
    );
  }
  return cells;
}

function divided(extent: Extent, at: number): [Extent, Extent] {
  if (typeof extent[0] === 'boolean')
    return [extent.map((_, c) => c === at), (extent as readonly boolean[]).map((has, c) => has && c !== at)];
  const [from, to] = extent as readonly [number, number];
  return [
    [from, at],
    [at, to],
  ];
}

function bestSplit(points: Points, weights: Uint8Array, orders: readonly Uint32Array[]): Split | undefined {
  const { axes, columns, values } = points;
  const all = orders[0]!;
  let [total, count] = [0, 0];
  for (const i of all) {
    total += weights[i]! * values[i]!;
    count += weights[i]!;
  }
  if (all.every((i) => values[i] === values[all[0]!])) return undefined;
  let best: Split | undefined;
  /** Σ² / n of both sides is what a split adds to the explained sum of squares, but for a constant. */
  const consider = (axis: number, at: number, sum: number, n: number) => {
    if (n === 0 || n === count) return;
    const gain = sum ** 2 / n + (total - sum) ** 2 / (count - n);
    if (!best || gain > best.gain) best = { axis, at, gain };
  };
  axes.forEach((axis, a) => {
    const column = columns[a]!;
    if (axis !== 'range') {
      const sums = new Float64Array(axis.choices);
      const counts = new Float64Array(axis.choices);
      for (const i of all) {
        sums[column[i]!]! += weights[i]! * values[i]!;
        counts[column[i]!]! += weights[i]!;
      }
      sums.forEach((sum, choice) => consider(a, choice, sum, counts[choice]!));
      return;
    }
    let [sum, n] = [0, 0];
    const order = orders[a]!;
    for (let k = 0; k + 1 < order.length; k++) {
      const i = order[k]!;
      sum += weights[i]! * values[i]!;
      n += weights[i]!;
      const [here, next] = [column[i]!, column[order[k + 1]!]!];
      if (next === here) continue;
      const middle = here + (next - here) / 2;
      consider(a, middle < next ? middle : here, sum, n);
    }
  });
  return best;
}

function mean(values: Float64Array, weights: Uint8Array, members: Uint32Array): number {
  let [sum, n] = [0, 0];
  for (const i of members) {
    sum += weights[i]! * values[i]!;
    n += weights[i]!;
  }
  return sum / n;
}
