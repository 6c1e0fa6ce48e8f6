const BARS = [...'▁▂▃▄▅▆▇█'];

/**
 * A curve as one line of text, of at most `width` characters; several curves that share a `range` can be compared. More
 * values than that are averaged; one that is no number is a blank.
 *
 * @example
 * sparkline([0, 1, 2, 3, 2, 1]); // => '▁▃▆█▆▃'
 */
export function sparkline(
  values: readonly number[],
  { width = 40, range = rangeOf(values) }: { readonly width?: number; readonly range?: Range } = {},
): string {
  const count = Math.min(width, values.length);
  const shown = Array.from({ length: count }, (_, i) => {
    const part = values.slice(
      Math.floor((i * values.length) / count),
      Math.floor(((i + 1) * values.length) / count),
    );
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
  const [low, high] = range;
  return shown
    .map((value) => {
      if (!Number.isFinite(value)) return ' ';
      const share = high > low ? (value - low) / (high - low) : 0.5;
      return BARS[Math.min(BARS.length - 1, Math.max(0, Math.round(share * (BARS.length - 1))))]!;
    })
    .join('');
}

/** The least and the greatest value. */
export type Range = readonly [low: number, high: number];

/** The range of those values that are numbers. */
export function rangeOf(values: readonly number[]): Range {
  const finite = values.filter(Number.isFinite);
  return finite.reduce<Range>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}
