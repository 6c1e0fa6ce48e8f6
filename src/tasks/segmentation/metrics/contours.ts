import type { Size } from '../../../data/images/image-size.js';

/** The pixels of one class in a picture: 1 where a pixel is of the class, 0 where it is of another, 255 where it is ignored. */
export type ClassPixels = Uint8Array;

/**
 * The pixels of a class within `distance` of its contour, 1 or 0: the boundary region of Boundary IoU.
 *
 * Near is whatever a square of side 2 · distance + 1 around a pixel of another class, or beyond the picture's frame,
 * reaches: what `distance` erosions by a 3 × 3 square take away, as in the authors' code. An ignored pixel is of no class,
 * so that no contour runs along it.
 *
 * @see Cheng et al. 2021, Boundary IoU: Improving Object-Centric Image Segmentation Evaluation
 */
export function boundaryOf(pixels: ClassPixels, size: Size, distance: number): Uint8Array {
  const others = pixels.map((value) => (value === 0 ? 1 : 0));
  const { width, height } = size;
  for (let y = 0; y < height; y++) spread(others, { at: y * width, step: 1, length: width }, distance);
  for (let x = 0; x < width; x++) spread(others, { at: x, step: width, length: height }, distance);
  return others.map((near, i) => (near === 1 && pixels[i] === 1 ? 1 : 0));
}

interface Line {
  readonly at: number;
  readonly step: number;
  readonly length: number;
}

/** Sets what is within `distance` of a 1, or of the line's ends, to 1. */
function spread(values: Uint8Array, { at, step, length }: Line, distance: number): void {
  const before = Int32Array.from({ length }, () => 0);
  let last = -1;
  for (let i = 0; i < length; i++) {
    if (values[at + i * step] === 1) last = i;
    before[i] = i - last;
  }
  last = length;
  for (let i = length - 1; i >= 0; i--) {
    if (values[at + i * step] === 1) last = i;
    if (Math.min(before[i]!, last - i) <= distance) values[at + i * step] = 1;
  }
}

/**
 * The outline of a class, 1 or 0: its pixels beside (not across) a pixel of another class. Neither the frame of the picture
 * nor ignored pixels make an outline.
 */
export function outlineOf(pixels: ClassPixels, { width, height }: Size): Uint8Array {
  return pixels.map((value, i) => {
    if (value !== 1) return 0;
    const [x, y] = [i % width, Math.floor(i / width)];
    const isOther = (there: boolean, place: number) => there && pixels[place] === 0;
    return isOther(x > 0, i - 1) ||
      isOther(x < width - 1, i + 1) ||
      isOther(y > 0, i - width) ||
      isOther(y < height - 1, i + width)
      ? 1
      : 0;
  });
}

/** How many pixels of an outline have one of another outline within `tolerance` pixels, by Euclidean distance. */
export function pixelsNear(
  outline: Uint8Array,
  other: Uint8Array,
  { width, height }: Size,
  tolerance: number,
): number {
  const offsets = disk(tolerance);
  let count = 0;
  outline.forEach((value, i) => {
    if (value !== 1) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    const isMet = offsets.some(([dx, dy]) => {
      const [u, v] = [x + dx, y + dy];
      return u >= 0 && v >= 0 && u < width && v < height && other[v * width + u] === 1;
    });
    if (isMet) count++;
  });
  return count;
}

/** The offsets of a disk, the nearest first. */
function disk(radius: number): (readonly [number, number])[] {
  const reach = Math.floor(radius);
  const side = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  return side
    .flatMap((dy) => side.map((dx) => [dx, dy] as const))
    .filter(([dx, dy]) => dx * dx + dy * dy <= radius * radius)
    .toSorted(([a, b], [c, d]) => a * a + b * b - c * c - d * d);
}
