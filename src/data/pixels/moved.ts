import { IGNORE_INDEX } from '../types.js';
import { type Affine, compose, IDENTITY, warp } from './affine.js';
import { channelsOf, copied, type Values, valuesLike } from './values.js';

/**
 * A map that is not affine: replaces points of the output by those of the input that they show, in place.
 *
 * The points are x and y in turn, in units of the image's width and height with the centre at 0; each is mapped by
 * itself.
 *
 * @example
 * const wave: Distortion = (points) => {
 *   for (let i = 0; i < points.length; i += 2) points[i]! += 0.02 * Math.sin(20 * points[i + 1]!);
 * };
 */
export type Distortion = (points: Float64Array) => void;

/**
 * A map that is not affine as data, in the same units.
 *
 * - `projective` maps by a 3 × 3 matrix, row by row, with the corner at 0
 * - `surfaces` adds two uniform cubic B-spline surfaces to x and y, of (grid + 2)² control points each, row by row
 * - `stretch` is piecewise linear along x and y, with the ends of as many equal cells, from 0 to 1
 */
export type Curve =
  | { readonly kind: 'projective'; readonly matrix: readonly number[] }
  | {
      readonly kind: 'surfaces';
      readonly grid: number;
      readonly across: Float64Array;
      readonly down: Float64Array;
    }
  | {
      readonly kind: 'stretch';
      readonly ends: readonly [across: readonly number[], down: readonly number[]];
    };

/** A map as data: what native code and worker threads carry out without a call back. */
export type DataMove = Affine | Curve;

/** A map from output to input coordinates. */
export type Move = DataMove | Distortion;

export function isAffine(move: Move): move is Affine {
  return Array.isArray(move);
}

interface Masked<V extends Values> {
  readonly width: number;
  readonly height: number;
  readonly image: V;
  readonly mask?: Uint8Array;
}

/**
 * Moves an image and its mask by several maps, the first one first, interpolating once: the image bilinear, black
 * outside; the mask to the nearest, 255 outside. The image is always a new one.
 */
export function moved<V extends Values>(
  picture: Masked<V>,
  moves: readonly Move[],
): { image: V; mask?: Uint8Array | undefined } {
  const { width, height, image, mask } = picture;
  if (moves.every(isAffine)) {
    const map = moves.reduce(compose, IDENTITY);
    return moves.length === 0 ? { image: copied(image), mask } : warp(picture, map);
  }
  const points = centres(width, height);
  for (const move of moves.toReversed())
    if (typeof move === 'function') move(points);
    else if (isAffine(move)) affineInPlace(points, move);
    else (curve[move.kind] as (points: Float64Array, move: Curve) => void)(points, move);
  for (let i = 0; i < points.length; i += 2) {
    points[i] = (points[i]! + 0.5) * width - 0.5;
    points[i + 1] = (points[i + 1]! + 0.5) * height - 0.5;
  }
  return { image: imageAt(picture, points), ...(mask && { mask: maskAt({ width, height, mask }, points) }) };
}

/** The centres of all pixels, in units. */
function centres(width: number, height: number): Float64Array {
  const points = new Float64Array(2 * width * height);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 2) {
      points[at] = (x + 0.5) / width - 0.5;
      points[at + 1] = (y + 0.5) / height - 0.5;
    }
  return points;
}

function affineInPlace(points: Float64Array, [a, b, c, d, e, f]: Affine): void {
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i]!, points[i + 1]!];
    points[i] = a * x + b * y + c;
    points[i + 1] = d * x + e * y + f;
  }
}

/** Each kind of curve, in place. */
const curve: {
  readonly [K in Curve['kind']]: (points: Float64Array, move: Extract<Curve, { kind: K }>) => void;
} = {
  projective: (points, { matrix }) => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, k = 0] = matrix;
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = [points[i]! + 0.5, points[i + 1]! + 0.5];
      const w = g * x + h * y + k;
      points[i] = (a * x + b * y + c) / w - 0.5;
      points[i + 1] = (d * x + e * y + f) / w - 0.5;
    }
  },
  surfaces: (points, { grid, across, down }) => {
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
  },
  stretch: (points, { ends }) => {
    for (let i = 0; i < points.length; i++) points[i] = stretched(points[i]!, ends[i & 1]!);
  },
};

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

/** A place of −.5 … .5 by the ends of cells that were of one width. */
function stretched(at: number, ends: readonly number[]): number {
  const cells = ends.length - 1;
  const place = (at + 0.5) * cells;
  const cell = Math.min(cells - 1, Math.max(0, Math.floor(place)));
  return ends[cell]! + (place - cell) * (ends[cell + 1]! - ends[cell]!) - 0.5;
}

interface Mask {
  readonly width: number;
  readonly height: number;
  readonly mask: Uint8Array;
}

function maskAt({ width, height, mask }: Mask, points: Float64Array): Uint8Array {
  const classes = new Uint8Array(mask.length).fill(IGNORE_INDEX);
  for (let at = 0; at < classes.length; at++) {
    const [x, y] = [Math.round(points[2 * at]!), Math.round(points[2 * at + 1]!)];
    if (x >= 0 && x < width && y >= 0 && y < height) classes[at] = mask[y * width + x]!;
  }
  return classes;
}

function imageAt<V extends Values>({ width, height, image }: Masked<V>, points: Float64Array): V {
  const out = valuesLike(image);
  const channels = channelsOf({ width, height, image });
  for (let at = 0; at < width * height; at++) {
    const [x, y] = [points[2 * at]!, points[2 * at + 1]!];
    if (!(x > -1 && x < width && y > -1 && y < height)) continue;
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [right, below] = [x - left, y - top];
    for (let k = 0; k < channels; k++) {
      let sum = 0.5;
      for (let corner = 0; corner < 4; corner++) {
        const [column, row] = [left + (corner & 1), top + (corner >> 1)];
        const weight = (corner & 1 ? right : 1 - right) * (corner >> 1 ? below : 1 - below);
        if (weight > 0 && column >= 0 && column < width && row >= 0 && row < height)
          sum += weight * image[(row * width + column) * channels + k]!;
      }
      out[at * channels + k] = sum;
    }
  }
  return out;
}
