/**
 * The Mann-Whitney U test (1947) by its normal approximation, with ties and continuity corrected: how likely ranks
 * as bad as a's, or worse, are when a and b come from one distribution. Less is better; fit for 8 values a side and up.
 *
 * @returns p of "a is worse than b"
 */
export function worseByRank(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((value) => ({ value, own: true })), ...b.map((value) => ({ value, own: false }))];
  all.sort((x, y) => x.value - y.value);
  let ranks = 0;
  let ties = 0;
  for (let from = 0; from < all.length; ) {
    let to = from;
    while (to < all.length && all[to]!.value === all[from]!.value) to++;
    const equal = to - from;
    ranks += all.slice(from, to).filter(({ own }) => own).length * ((from + 1 + to) / 2);
    ties += equal ** 3 - equal;
    from = to;
  }
  const [n, m, both] = [a.length, b.length, all.length];
  const u = ranks - (n * (n + 1)) / 2;
  const variance = ((n * m) / 12) * (both + 1 - ties / (both * (both - 1)));
  return variance === 0 ? 1 : 1 - cumulativeNormal((u - (n * m) / 2 - 0.5) / Math.sqrt(variance));
}

/** Abramowitz & Stegun 7.1.26, to 2e-7. */
function cumulativeNormal(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (series * Math.exp(-x * x)) / 2;
  return z > 0 ? 1 - tail : tail;
}
