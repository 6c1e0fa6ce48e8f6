import { squareScale } from '../../numeric/extremes.js';
import type { Distribution, SearchSpace } from '../../study/trials/distribution.js';
import type { FrozenTrial } from '../../study/trials/frozen-trial.js';
import { shareOf } from './study-data.js';

/** Cells along a numeric axis. */
const CELLS = 72;

/** A smoothed value in cells. */
export interface ContourSurface {
  /** Values by row (along y) and column (along x). */
  readonly rows: readonly (readonly number[])[];
  /** The fields `x` (and `x2` on a numeric axis) of the columns `from` up to `to`. */
  readonly columns: (from: number, to: number) => object;
  /** The fields `y` (and `y2` on a numeric axis) of a row. */
  readonly lines: (row: number) => object;
}

/** An axis divided into cells: the place of a trial, from 0 to 1, the middle of each cell, and the value at an edge. */
interface CellAxis {
  readonly place: (trial: FrozenTrial) => number;
  readonly middles: readonly number[];
  readonly edge: (cell: number) => number;
  readonly labels: readonly string[] | null;
}

function cellAxis(name: string, distribution: Distribution): CellAxis {
  const index = (trial: FrozenTrial) => trial.internalParams[name]!;
  if (distribution.name === 'CategoricalDistribution') {
    const count = distribution.choices.length;
    return {
      place: (trial) => (index(trial) + 0.5) / count,
      middles: distribution.choices.map((_, i) => (i + 0.5) / count),
      edge: (cell) => cell,
      labels: distribution.choices.map(String),
    };
  }
  const { low, high, log } = distribution;
  const [from, to] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const edge = (cell: number) => from + (to - from) * (cell / CELLS);
  return {
    place: (trial) => shareOf(log ? Math.log(index(trial)) : index(trial), from, to),
    middles: Array.from({ length: CELLS }, (_, i) => (i + 0.5) / CELLS),
    edge: (cell) => (log ? Math.exp(edge(cell)) : edge(cell)),
    labels: null,
  };
}

/**
 * The value over two parameters, smoothed over the trials: each cell's value is the mean of all results, weighted by a
 * Gaussian of the distance, and far from all trials by the inverse distance.
 */
export function contourSurface(
  trials: readonly FrozenTrial[],
  results: readonly number[],
  [xName, yName]: readonly [string, string],
  space: SearchSpace,
): ContourSurface {
  const [x, y] = [cellAxis(xName, space.get(xName)!), cellAxis(yName, space.get(yName)!)];
  const points = trials.map((trial) => [x.place(trial), y.place(trial)] as const);
  const width = 0.35 * trials.length ** (-1 / 4);
  const scale = squareScale(results);
  const at = (u: number, v: number) => {
    let [sum, weights] = [0, 0];
    points.forEach(([a, b], i) => {
      const distance = (u - a) ** 2 + (v - b) ** 2;
      const weight = Math.exp(-distance / (2 * width ** 2)) + 1e-6 / (distance + 1e-6);
      sum += weight * (results[i]! / scale);
      weights += weight;
    });
    return (sum / weights) * scale;
  };
  return {
    rows: y.middles.map((v) => x.middles.map((u) => at(u, v))),
    columns: (from: number, to: number) =>
      x.labels ? { x: x.labels[from] } : { x: x.edge(from), x2: x.edge(to) },
    lines: (row: number) => (y.labels ? { y: y.labels[row] } : { y: y.edge(row), y2: y.edge(row + 1) }),
  };
}

/** The cells of a surface by the band of their value; neighbours of the same band in a row are one run. */
export function bandRuns(rows: readonly (readonly number[])[], levels: readonly number[]) {
  return rows.flatMap((row, r) => {
    const runs: { row: number; from: number; to: number; band: number }[] = [];
    row.forEach((value, c) => {
      const band = levels.filter((level) => value >= level).length;
      const last = runs.at(-1);
      if (row.length === CELLS && last?.band === band) last.to = c + 1;
      else runs.push({ row: r, from: c, to: c + 1, band });
    });
    return runs;
  });
}
