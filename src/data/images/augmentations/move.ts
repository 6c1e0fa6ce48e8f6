import { type Affine, compose, IDENTITY, warp } from '../../pixels/affine.js';
import { channelsOf, copied, type Values, valuesLike } from '../../pixels/values.js';
import { IGNORE_INDEX } from '../../types.js';

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

/** A map from output to input coordinates. */
export type Move = Affine | Distortion;

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
  if (moves.every((move) => typeof move !== 'function')) {
    const map = moves.reduce(compose, IDENTITY);
    return moves.length === 0 ? { image: copied(image), mask } : warp(picture, map);
  }
  const points = centres(width, height);
  for (const move of moves.toReversed())
    if (typeof move === 'function') move(points);
    else affineInPlace(points, move);
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
