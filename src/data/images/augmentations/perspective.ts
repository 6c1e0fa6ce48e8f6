import type { Random } from '../../../random/random-stream.js';
import type { Curve } from '../../pixels/moved.js';
import { type Chance, type Transform } from './augmentation.js';
import { checkSettings } from './check-settings.js';

/** Options of `perspective`. */
export interface PerspectiveOptions extends Chance {
  /** The share of half the width and height by which each corner moves inwards at most. Default .3. */
  readonly scale?: number;
}

/**
 * Shows the picture as if seen from the side: each corner moves inwards by a random share of half the size, as in
 * torchvision's `RandomPerspective`; what is left around it is black, and ignored. Default p .5.
 *
 * The map is the inverse of the projective one from the unit square to the four corners (Heckbert 1989, "Fundamentals
 * of texture mapping and image warping", section 2.2.3).
 */
export function perspective({ scale = 0.3, p = 0.5 }: PerspectiveOptions = {}): Transform {
  checkSettings('perspective', { scale: [scale, { least: 0, most: 0.99 }] });
  return { name: 'perspective', p, geometric: (random) => fromCorners(inwards(random, scale)) };
}

type Point = readonly [x: number, y: number];

/** The corners (0, 0), (1, 0), (1, 1) and (0, 1), each moved. */
function inwards(random: Random, scale: number): Point[] {
  const move = () => 0.5 * scale * random();
  return [
    [move(), move()],
    [1 - move(), move()],
    [1 - move(), 1 - move()],
    [move(), 1 - move()],
  ];
}

/** The map of a quadrilateral, whose corners follow those of the unit square, to the whole picture. */
export function fromCorners(corners: readonly Point[]): Curve {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = corners as [Point, Point, Point, Point];
  const [sx, sy] = [x0 - x1 + x2 - x3, y0 - y1 + y2 - y3];
  const [dx1, dx2, dy1, dy2] = [x1 - x2, x3 - x2, y1 - y2, y3 - y2];
  const area = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / area;
  const h = (dx1 * sy - sx * dy1) / area;
  const [a, b, c] = [x1 - x0 + g * x1, x3 - x0 + h * x3, x0];
  const [d, e, f] = [y1 - y0 + g * y1, y3 - y0 + h * y3, y0];
  // The adjugate of [a b c; d e f; g h 1], which maps back up to a factor.
  const rows = [
    [e - f * h, c * h - b, b * f - c * e],
    [f * g - d, a - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ];
  return { kind: 'projective', matrix: rows.flat() };
}
