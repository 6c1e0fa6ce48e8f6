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
      return { kind: 'surfaces', grid, across, down };
    },
  };
}

/** The normal control points of a surface: one row more on each side than the grid has. */
function controls(random: Random, grid: number, deviation: number): Float64Array {
  return Float64Array.from({ length: (grid + 2) ** 2 }, () => deviation * normal(random));
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
    geometric: (random) => ({
      kind: 'stretch',
      ends: [stretchedEnds(random, cells, limit), stretchedEnds(random, cells, limit)],
    }),
  };
}

/** Where cells of random widths end, from 0 to 1. */
function stretchedEnds(random: Random, cells: number, limit: number): number[] {
  const widths = Array.from({ length: cells }, () => 1 + around(random, limit));
  const total = widths.reduce((a, b) => a + b, 0);
  const ends = [0];
  for (const width of widths) ends.push(ends.at(-1)! + width / total);
  return ends;
}
