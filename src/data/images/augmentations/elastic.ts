import { normal, type Random } from '../../../random/random-stream.js';
import { around, type Chance, type Transform } from './augmentation.js';
import { checkSettings } from './check-settings.js';

/** Options of `elasticTransform`. */
export interface ElasticOptions extends Chance {
  /** Standard deviation of the shifts, as a share of the width. Default .04. */
  readonly deviation?: number;
  /** Shifts along each side, from 2 up; more of them make smaller waves. Default 4. */
  readonly grid?: number;
}

/**
 * Pulls the picture about like a rubber sheet. Default p .5.
 *
 * Random shifts on a coarse grid, drawn from a normal distribution and interpolated smoothly, as U-Net was trained
 * with (Ronneberger et al. 2015, section 3.1: 3 × 3 shifts); here the interpolation is the uniform cubic B-spline,
 * which never overshoots the shifts. With a deviation of 0 nothing moves.
 */
export function elasticTransform({ deviation = 0.04, grid = 4, p = 0.5 }: ElasticOptions = {}): Transform {
  checkSettings('elasticTransform', {
    deviation: [deviation, { least: 0 }],
    grid: [grid, { least: 2, most: 64, whole: true }],
  });
  return {
    name: 'elasticTransform',
    p,
    geometric: (random, aspect) => {
      const across = controls(random, grid, deviation);
      const down = controls(random, grid, deviation * aspect);
      return (points) => shift(points, grid, across, down);
    },
  };
}

/** The normal control points of a surface: one row more on each side than the grid has. */
function controls(random: Random, grid: number, deviation: number): Float64Array {
  return Float64Array.from({ length: (grid + 2) ** 2 }, () => deviation * normal(random));
}

/** Adds two uniform cubic B-spline surfaces to x and y: the mean of 4 × 4 control points around, weighted. */
function shift(points: Float64Array, grid: number, across: Float64Array, down: Float64Array): void {
  const [column, row] = [new Float64Array(4), new Float64Array(4)];
  for (let i = 0; i < points.length; i += 2) {
    const left = weigh(points[i]!, grid, column);
    const top = weigh(points[i + 1]!, grid, row);
    let [x, y] = [0, 0];
    for (let j = 0; j < 4; j++)
      for (let k = 0; k < 4; k++) {
        const weight = row[j]! * column[k]!;
        const at = (top + j) * (grid + 2) + left + k;
        x += weight * across[at]!;
        y += weight * down[at]!;
      }
    points[i]! += x;
    points[i + 1]! += y;
  }
}

/** Writes the weights of the four control points around a place of −.5 … .5; returns the first one. */
function weigh(place: number, grid: number, weights: Float64Array): number {
  const at = Math.min(1, Math.max(0, place + 0.5)) * (grid - 1);
  const first = Math.min(grid - 2, Math.floor(at));
  const t = at - first;
  const rest = 1 - t;
  weights[0] = (rest * rest * rest) / 6;
  weights[1] = ((3 * t - 6) * t * t + 4) / 6;
  weights[2] = ((3 * rest - 6) * rest * rest + 4) / 6;
  weights[3] = (t * t * t) / 6;
  return first;
}

/** Options of `gridDistortion`. */
export interface GridDistortionOptions extends Chance {
  /** Columns and rows of cells. Default 5. */
  readonly cells?: number;
  /** Each column and row is drawn larger or smaller by up to this share. Default .3. */
  readonly limit?: number;
}

/**
 * Stretches columns and rows of cells, each by its own factor; the borders stay in place, so nothing is lost. Default p
 * .5. With a limit of 0 nothing moves.
 */
export function gridDistortion({ cells = 5, limit = 0.3, p = 0.5 }: GridDistortionOptions = {}): Transform {
  checkSettings('gridDistortion', {
    cells: [cells, { least: 1, whole: true }],
    limit: [limit, { least: 0, most: 0.99 }],
  });
  return {
    name: 'gridDistortion',
    p,
    geometric: (random) => {
      const axes = [0, 1].map(() => stretched(random, cells, limit)) as [Axis, Axis];
      return (points) => {
        for (let i = 0; i < points.length; i++) points[i] = axes[i & 1]!(points[i]!);
      };
    },
  };
}

type Axis = (at: number) => number;

/** A piecewise linear map of −.5 … .5 to itself. */
function stretched(random: Random, cells: number, limit: number): Axis {
  const widths = Array.from({ length: cells }, () => 1 + around(random, limit));
  const total = widths.reduce((a, b) => a + b, 0);
  const ends = [0];
  for (const width of widths) ends.push(ends.at(-1)! + width / total);
  return (at) => {
    const place = (at + 0.5) * cells;
    const cell = Math.min(cells - 1, Math.max(0, Math.floor(place)));
    return ends[cell]! + (place - cell) * (ends[cell + 1]! - ends[cell]!) - 0.5;
  };
}
