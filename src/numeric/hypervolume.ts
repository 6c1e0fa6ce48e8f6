/**
 * The volume that points dominate up to a reference point; less is better, and every point is at or below it.
 *
 * Two objectives by a sweep, more by the exclusive volumes of While, Bradstreet & Barone 2012 (A fast way of
 * calculating exact hypervolumes, eqs. 6 and 7). Infinite where the reference point is.
 */
export function hypervolume(points: readonly (readonly number[])[], reference: readonly number[]): number {
  if (!reference.every(Number.isFinite)) return Number.POSITIVE_INFINITY;
  const front = nonDominated(points);
  const volume = reference.length === 2 ? sweep(front, reference) : exclusiveSum(front, reference);
  return Number.isFinite(volume) ? volume : Number.POSITIVE_INFINITY;
}

/** Points in lexicographic order without those that another dominates or equals. */
export function nonDominated(points: readonly (readonly number[])[]): (readonly number[])[] {
  const front: (readonly number[])[] = [];
  for (const point of [...points].sort(lexicographic)) {
    if (!front.some((other) => other.every((x, d) => x <= point[d]!))) front.push(point);
  }
  return front;
}

export function lexicographic(a: readonly number[], b: readonly number[]): number {
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return a[d]! < b[d]! ? -1 : 1;
  return 0;
}

function sweep(front: readonly (readonly number[])[], [right, top]: readonly number[]): number {
  let volume = 0;
  let ceiling = top!;
  for (const [x, y] of front) {
    volume += (right! - x!) * (ceiling - y!);
    ceiling = y!;
  }
  return volume;
}

function exclusiveSum(front: readonly (readonly number[])[], reference: readonly number[]): number {
  let sum = 0;
  front.forEach((point, i) => {
    let exclusive = 1;
    for (let d = 0; d < point.length; d++) exclusive *= reference[d]! - point[d]!;
    const limited = front.slice(i + 1).map((other) => other.map((x, d) => Math.max(x, point[d]!)));
    if (limited.length > 0) exclusive -= exclusiveSum(nonDominated(limited), reference);
    sum += exclusive;
  });
  return sum;
}
