/**
 * The one-sided p-value of Wilcoxon's signed-rank test (Wilcoxon 1945) that differences tend to be above 0: the
 * chance of a rank sum of the positive ones at least as large, if each sign were a coin toss.
 *
 * Zeros are split: half their rank counts as positive. Exact up to 50 differences, or 13 where some are tied or
 * zero; beyond that the normal approximation with correction for ties. Equals
 * `scipy.stats.wilcoxon(d, alternative='greater', zero_method='zsplit').pvalue`.
 */
export function signedRankPValue(differences: readonly number[]): number {
  const n = differences.length;
  const { ranks, ties } = rank(differences.map(Math.abs));
  let positive = 0;
  differences.forEach((d, i) => {
    positive += d > 0 ? ranks[i]! : d === 0 ? ranks[i]! / 2 : 0;
  });
  const zeros = differences.some((d) => d === 0);
  if (n <= (zeros || ties.length > 0 ? 13 : 50)) return exact(differences, ranks, positive);
  const mean = (n * (n + 1)) / 4;
  const correction = ties.reduce((sum, t) => sum + t ** 3 - t, 0) / 2;
  const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1) - correction) / 24);
  return upperTail((positive - mean) / deviation);
}

/** Counts the sign patterns by twice their rank sum, which is whole. */
function exact(differences: readonly number[], ranks: readonly number[], positive: number): number {
  let counts = new Map([[0, 1]]);
  let fixed = 0;
  differences.forEach((d, i) => {
    const twice = Math.round(2 * ranks[i]!);
    if (d === 0) {
      fixed += twice / 2;
      return;
    }
    const next = new Map(counts);
    for (const [sum, count] of counts) next.set(sum + twice, (next.get(sum + twice) ?? 0) + count);
    counts = next;
  });
  let [above, all] = [0, 0];
  for (const [sum, count] of counts) {
    all += count;
    if (sum + fixed >= 2 * positive - 1e-9) above += count;
  }
  return above / all;
}

/** Ranks from 1, ties sharing their mean, and the sizes of the ties. */
function rank(values: readonly number[]): { ranks: number[]; ties: number[] } {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = values.map(() => 0);
  const ties: number[] = [];
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) ranks[order[i]!] = (start + 1 + end) / 2;
    if (end - start > 1) ties.push(end - start);
    start = end;
  }
  return { ranks, ties };
}

/** P(Z > z) for a standard normal Z, by Simpson's rule on its density from 0 to |z|; to 1e-12. */
function upperTail(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  const end = Math.min(Math.abs(z), 10);
  const intervals = 2000;
  const h = end / intervals;
  let sum = 0;
  for (let i = 0; i <= intervals; i++) {
    const weight = i === 0 || i === intervals ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-((i * h) ** 2) / 2);
  }
  const half = (sum * h) / 3 / Math.sqrt(2 * Math.PI);
  return z > 0 ? 0.5 - half : 0.5 + half;
}
