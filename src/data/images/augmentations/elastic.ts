import { normal, type Random } from '../../../random/random-stream.js';
import { around, type Chance, type Transform } from './augmentation.js';

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
  return {
    name: 'elasticTransform',
    p,
    geometric: (random, aspect) => {
      const across = spline(random, grid, deviation);
      const down = spline(random, grid, deviation * aspect);
      return (points) => {
        for (let i = 0; i < points.length; i += 2) {
          const [x, y] = [points[i]!, points[i + 1]!];
          points[i] = x + across(x, y);
          points[i + 1] = y + down(x, y);
        }
      };
    },
  };
}

/** A smooth random surface over the picture, whose control points are normal. */
function spline(random: Random, grid: number, deviation: number): (x: number, y: number) => number {
  // One row of control points more on each side, so that each point of the picture lies between four.
  const side = grid + 2;
  const values = Float64Array.from({ length: side * side }, () => deviation * normal(random));
  const place = (unit: number) => {
    const at = Math.min(1, Math.max(0, unit + 0.5)) * (grid - 1);
    const cell = Math.min(grid - 2, Math.floor(at));
    return [cell, at - cell] as const;
  };
  return (x, y) => {
    const [column, s] = place(x);
    const [row, t] = place(y);
    let sum = 0;
    for (let j = 0; j < 4; j++)
      for (let i = 0; i < 4; i++) sum += weight(i, s) * weight(j, t) * values[(row + j) * side + column + i]!;
    return sum;
  };
}

/** The weight of the i-th of four control points at t between the middle two (the uniform cubic B-spline). */
function weight(i: number, t: number): number {
  if (i === 0) return (1 - t) ** 3 / 6;
  if (i === 1) return (3 * t ** 3 - 6 * t ** 2 + 4) / 6;
  return i === 2 ? (-3 * t ** 3 + 3 * t ** 2 + 3 * t + 1) / 6 : t ** 3 / 6;
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
