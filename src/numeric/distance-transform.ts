/**
 * The Euclidean distance of each pixel to the nearest one that is set, in pixels; 0 on those, Infinity where none is
 * (Felzenszwalb & Huttenlocher 2012, "Distance Transforms of Sampled Functions", exact, in linear time).
 *
 * @param set 1 where a pixel is set, else 0: rows one after another
 * @example
 * distanceTransform(Uint8Array.of(1, 0, 0), 3, 1); // => Float64Array.of(0, 1, 2)
 */
export function distanceTransform(set: Uint8Array, width: number, height: number): Float64Array {
  const squares = Float64Array.from(set, (one) => (one ? 0 : Number.POSITIVE_INFINITY));
  for (let x = 0; x < width; x++) alongLine(squares, x, width, height);
  for (let y = 0; y < height; y++) alongLine(squares, y * width, 1, width);
  return squares.map(Math.sqrt);
}

/** f(q) ← min over p of (q − p)² + f(p) on one line: the lower envelope of the parabolas over its pixels. */
function alongLine(values: Float64Array, start: number, stride: number, length: number): void {
  const f = Float64Array.from({ length }, (_, i) => values[start + i * stride]!);
  const [centres, from] = lowerEnvelope(f);
  if (centres.length === 0) return;
  let k = 0;
  for (let q = 0; q < length; q++) {
    while (k + 1 < centres.length && from[k + 1]! < q) k++;
    values[start + q * stride] = (q - centres[k]!) ** 2 + f[centres[k]!]!;
  }
}

/** The parabolas of the lower envelope, by their centres, and where each begins. */
function lowerEnvelope(f: Float64Array): [centres: number[], from: number[]] {
  const centres: number[] = [];
  const from: number[] = [];
  f.forEach((height, q) => {
    if (height === Number.POSITIVE_INFINITY) return;
    let begin = Number.NEGATIVE_INFINITY;
    while (centres.length > 0) {
      const p = centres.at(-1)!;
      begin = (height + q * q - (f[p]! + p * p)) / (2 * (q - p));
      if (begin > from.at(-1)!) break;
      centres.pop();
      from.pop();
      begin = Number.NEGATIVE_INFINITY;
    }
    centres.push(q);
    from.push(begin);
  });
  return [centres, from];
}
