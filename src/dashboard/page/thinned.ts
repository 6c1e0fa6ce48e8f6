/** Values by step. */
export interface Points {
  readonly steps: number[];
  readonly values: (number | null)[];
}

/**
 * A curve of at most `most` points: each is the mean of 2, 4, 8, … neighbours that are not missing, at the step of the
 * last of them. Curves of equal steps keep equal steps.
 */
export function thinned(curve: Points, most: number): Points {
  const { steps, values } = curve;
  const stride = 2 ** Math.ceil(Math.log2(steps.length / most));
  if (stride <= 1) return curve;
  const groups = Math.ceil(steps.length / stride);
  const group = (i: number) => [i * stride, Math.min((i + 1) * stride, steps.length)] as const;
  return {
    steps: Array.from({ length: groups }, (_, i) => steps[group(i)[1] - 1]!),
    values: Array.from({ length: groups }, (_, i) => {
      let [sum, count] = [0, 0];
      for (let [at, end] = group(i); at < end; at++) {
        const value = values[at] ?? null;
        if (value === null) continue;
        sum += value;
        count++;
      }
      return count > 0 ? sum / count : null;
    }),
  };
}
