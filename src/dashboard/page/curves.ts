import uPlot from 'uplot';
import type { Curve, LiveRun } from './live.js';
import { type Points, thinned } from './thinned.js';

/** Distances between two labels of an axis of steps or of trials, which are whole numbers. */
export const STEPS = Array.from({ length: 30 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** Math.floor(i / 3));

/** What values are divided by to be shown, and its name. */
export interface Unit {
  readonly by: number;
  readonly name: string;
}

/** A curve of a run in a chart. */
export interface Line {
  readonly run: string;
  readonly series: string;
  readonly label: string;
  /** Whether it is of a split, beside one of the training steps. */
  readonly dashed: boolean;
  readonly unit: Unit;
  readonly curve: Curve;
}

/** Curves of one quantity. */
export interface Chart {
  readonly title: string;
  readonly unit: Unit;
  readonly lines: readonly Line[];
}

const PLAIN: Unit = { by: 1, name: '' };
const UNITS: Readonly<Record<string, Unit>> = {
  memory: { by: 2 ** 20, name: ' MiB' },
  'data wait': { by: 1e-3, name: ' ms' },
};
const FIRST = ['loss'];
/** What is no score comes after the scores, in this order. */
const LAST = ['learning rate', 'gradient norm', 'images per second', 'data wait', 'look-ahead', 'memory'];

/** The charts of these runs: the loss first, then the scores, then how the training went. */
export function chartsOf(runs: readonly LiveRun[]): Chart[] {
  const charts = new Map<string, Line[]>();
  for (const { row, curves } of runs)
    for (const [series, curve] of curves) {
      const [title, variant] = titleOf(series);
      const unit = UNITS[title] ?? PLAIN;
      const label = [runs.length > 1 ? row.name : '', variant].filter((part) => part !== '').join(' ');
      const line = { run: row.name, series, label: label || title, dashed: variant !== '', unit, curve };
      charts.set(title, [...(charts.get(title) ?? []), line]);
    }
  const rank = (title: string) => (FIRST.includes(title) ? -1 : LAST.indexOf(title) + 1);
  return [...charts]
    .map(([title, lines]) => ({ title, unit: lines[0]!.unit, lines }))
    .toSorted((a, b) => rank(a.title) - rank(b.title));
}

/** A series' chart, and which of its curves it is: `validation/dice` is the validation's in the chart of `dice`. */
function titleOf(series: string): [title: string, variant: string] {
  const [first = '', ...rest] = series.split('/');
  if (rest.length === 0) return [first, ''];
  return LAST.includes(first) ? [first, rest.join('/')] : [rest.join('/'), first];
}

/** The most points that a chart draws, so that it keeps pace with its runs: of many lines each has fewer. */
const MOST_DRAWN = 12_288;

/** A curve as it is drawn, and of which state of it. */
export interface DrawnCurve extends Points {
  readonly of: string;
}

/** What was drawn of each curve last. */
const drawn = new WeakMap<Curve, DrawnCurve>();

/** The lines smoothed, and thinned where they have many points together. */
export function drawnLines(lines: readonly Line[], smoothing: number): DrawnCurve[] {
  const most = Math.floor(MOST_DRAWN / lines.length);
  return lines.map(({ curve }) => {
    const of = `${curve.revision} ${smoothing} ${most}`;
    const last = drawn.get(curve);
    if (last?.of === of) return last;
    const values = smoothed(curve.values, smoothing);
    const next = { ...thinned({ steps: curve.steps, values }, most), of };
    drawn.set(curve, next);
    return next;
  });
}

/** Lines as columns by step; where a line has no value at a step of another one, it is absent. */
export function columnsOf(lines: readonly Points[]): uPlot.AlignedData {
  const tables = lines.map(({ steps, values }): uPlot.AlignedData => [steps, values]);
  return tables.length === 1 ? tables[0]! : uPlot.join(tables);
}

/**
 * The exponential moving average of a curve, divided by the sum of its weights, so that it is not drawn towards 0 at the
 * beginning (Kingma & Ba 2015, section 3). A missing value stays missing.
 */
export function smoothed(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight === 0) return [...values];
  let mean = 0;
  let weights = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    weights = weight * weights + (1 - weight);
    return mean / weights;
  });
}
