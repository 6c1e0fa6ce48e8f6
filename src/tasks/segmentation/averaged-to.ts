import type { Size } from '../../data/images/image-size.js';
import type { Stitched } from './stitcher.js';

/**
 * A picture's probabilities at another size: each pixel has the mean of those that it covers, by the share that it covers
 * of each. A pixel's probabilities still sum to 1.
 *
 * @example
 * const half = averagedTo({ width: 2, height: 1, probabilities: Float32Array.of(1, 0, 0.5, 0.5) }, { width: 1, height: 1 });
 * Array.from(half.probabilities); // => [0.75, 0.25]
 */
export function averagedTo(picture: Stitched, size: Size): Stitched {
  const { width, height, probabilities } = picture;
  const classes = probabilities.length / (width * height);
  const narrow = averaged(probabilities, { from: width, to: size.width, outer: height, inner: classes });
  const small = averaged(narrow, { from: height, to: size.height, outer: 1, inner: size.width * classes });
  return { ...size, probabilities: small };
}

/** What an output place covers: input places from `first` on, with shares that sum to 1. */
interface Cover {
  readonly first: number;
  readonly shares: readonly number[];
}

function coversOf(from: number, to: number): Cover[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [low, high] = [i * scale, (i + 1) * scale];
    const first = Math.min(from - 1, Math.floor(low));
    const end = Math.max(first + 1, Math.min(from, Math.ceil(high)));
    const parts = Array.from(
      { length: end - first },
      (_, k) => Math.min(first + k + 1, high) - Math.max(first + k, low),
    );
    const sum = parts.reduce((a, b) => a + b, 0);
    return { first, shares: parts.map((part) => part / sum) };
  });
}

interface Axis {
  readonly from: number;
  readonly to: number;
  /** The product of the dimensions before the axis, and of those after it. */
  readonly outer: number;
  readonly inner: number;
}

/** Means along one axis: [outer, from, inner] → [outer, to, inner]. */
function averaged(values: Float32Array, { from, to, outer, inner }: Axis): Float32Array {
  const data = new Float32Array(outer * to * inner);
  const covers = coversOf(from, to);
  for (let o = 0, at = 0; o < outer; o++)
    for (const { first, shares } of covers) {
      shares.forEach((share, k) => {
        const start = (o * from + first + k) * inner;
        for (let i = 0; i < inner; i++) data[at + i]! += share * values[start + i]!;
      });
      at += inner;
    }
  return data;
}
