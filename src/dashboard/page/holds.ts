import type { Points } from './thinned.js';

/** The ends of a scale; none before it has anything to show. */
export interface Range {
  readonly min?: number | null;
  readonly max?: number | null;
}

/** Whether the scales of a chart hold all points of the lines. */
export function holds(x: Range, y: Range, lines: readonly Points[]): boolean {
  const isIn = ({ min, max }: Range, value: number | null | undefined) =>
    value == null || (min != null && max != null && value >= min && value <= max);
  return lines.every(
    ({ steps, values }) =>
      isIn(x, steps[0]) && isIn(x, steps.at(-1)) && values.every((value) => isIn(y, value)),
  );
}
