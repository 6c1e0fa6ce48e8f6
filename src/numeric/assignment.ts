/**
 * The assignment of rows to columns with the smallest sum of costs, each column taken once: of each row its column, or −1
 * for the rows that are left over where there are fewer columns. Exact, in O(rows²·columns), by shortest augmenting paths
 * (Jonker & Volgenant 1987, without its initialisation; Crouse 2016). A cost that is no finite number counts as 1e30.
 *
 * @example
 * assignment([[4, 1, 3], [2, 0, 5]]); // => [1, 0], which costs 1 + 2 and not 3 + 0
 */
export function assignment(costs: readonly (readonly number[])[]): number[] {
  const [rows, columns] = [costs.length, costs[0]?.length ?? 0];
  if (rows <= columns) return shortestPaths(costs, columns);
  const turned = Array.from({ length: columns }, (_, j) => costs.map((row) => row[j]!));
  const result = costs.map(() => -1);
  shortestPaths(turned, rows).forEach((row, column) => {
    result[row] = column;
  });
  return result;
}

/** The same of no more rows than columns. */
function shortestPaths(costs: readonly (readonly number[])[], columns: number): number[] {
  const rowOf = Array.from({ length: columns }, () => -1);
  const columnOf = costs.map(() => -1);
  // The prices of rows and columns: no cost is below their sum, and those of assigned pairs are equal to it.
  const u = new Float64Array(costs.length);
  const v = new Float64Array(columns);
  for (let start = 0; start < costs.length; start++) {
    const distance = new Float64Array(columns).fill(Number.POSITIVE_INFINITY);
    const from = new Int32Array(columns);
    const done = new Set<number>();
    let [row, length, end] = [start, 0, -1];
    while (end < 0) {
      let next = -1;
      for (let j = 0; j < columns; j++) {
        if (done.has(j)) continue;
        const through = length + finite(costs[row]![j]!) - u[row]! - v[j]!;
        if (through < distance[j]!) [distance[j], from[j]] = [through, row];
        if (next < 0 || distance[j]! < distance[next]!) next = j;
      }
      length = distance[next]!;
      if (rowOf[next]! < 0) end = next;
      else {
        done.add(next);
        row = rowOf[next]!;
      }
    }
    u[start]! += length;
    for (const j of done) {
      u[rowOf[j]!]! += length - distance[j]!;
      v[j]! -= length - distance[j]!;
    }
    for (let j = end; j >= 0; ) {
      const owner = from[j]!;
      rowOf[j] = owner;
      [j, columnOf[owner]] = [columnOf[owner]!, j];
    }
  }
  return columnOf;
}

const finite = (cost: number): number => (Number.isFinite(cost) ? cost : 1e30);
