const BLOCK = 128;

/** The sum of `count` numbers from `start` in numpy's order: pairwise, with eight partial sums in each block of 128. */
export function pairwiseSum(x: ArrayLike<number>, start = 0, count = x.length): number {
  if (count < 8) {
    let sum = 0;
    for (let i = start; i < start + count; i++) sum += x[i]!;
    return sum;
  }
  if (count <= BLOCK) {
    const parts = Float64Array.from({ length: 8 }, (_, k) => x[start + k]!);
    const blocksEnd = count - (count % 8);
    for (let i = 8; i < blocksEnd; i++) parts[i & 7]! += x[start + i]!;
    const [a, b, c, d, e, f, g, h] = parts as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    let sum = a + b + (c + d) + (e + f + (g + h));
    for (let i = blocksEnd; i < count; i++) sum += x[start + i]!;
    return sum;
  }
  const half = count >> 1;
  const first = half - (half % 8);
  return pairwiseSum(x, start, first) + pairwiseSum(x, start + first, count - first);
}
