/** The shape of one picture's logits, row by row: [rows, columns, classes]. */
export interface LogitsShape {
  readonly rows: number;
  readonly columns: number;
  readonly classes: number;
}

/**
 * The most likely class of each pixel at another size: logits are interpolated, bilinear with half-pixel centres, and
 * the first of the largest counts.
 *
 * What PyTorch computes by `interpolate(logits, size, mode="bilinear", align_corners=False).argmax(1)`. It interpolates
 * logits and not classes, so that borders are as smooth as the model knows them. Holds two rows of logits at a time, so
 * the size of the picture costs no memory.
 *
 * @example
 * const row = Float32Array.of(4, 0, 0, 2); // two pixels, two classes
 * classesAt(row, { rows: 1, columns: 2, classes: 2 }, { width: 4, height: 1 }); // => Uint8Array.of(0, 0, 1, 1)
 */
export function classesAt(
  logits: Float32Array,
  { rows, columns, classes }: LogitsShape,
  { width, height }: { readonly width: number; readonly height: number },
): Uint8Array {
  const [down, across] = [taps(rows, height), taps(columns, width)];
  const stride = columns * classes;
  const between = new Float32Array(stride);
  const result = new Uint8Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    const [above, below, share] = [down.low[y]! * stride, down.high[y]! * stride, down.share[y]!];
    for (let i = 0; i < stride; i++)
      between[i] = logits[above + i]! * (1 - share) + logits[below + i]! * share;
    for (let x = 0; x < width; x++)
      result[at++] = largest(between, classes, across.low[x]!, across.high[x]!, across.share[x]!);
  }
  return result;
}

/** The class of the largest logit between two columns. */
function largest(row: Float32Array, classes: number, low: number, high: number, share: number): number {
  const [left, right] = [low * classes, high * classes];
  let best = 0;
  let most = -Infinity;
  for (let k = 0; k < classes; k++) {
    const value = row[left + k]! * (1 - share) + row[right + k]! * share;
    if (value > most) [best, most] = [k, value];
  }
  return best;
}

/** For each place of an axis the two that it lies between, and the share of the second one. */
function taps(from: number, to: number) {
  const [low, high] = [new Int32Array(to), new Int32Array(to)];
  const share = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const place = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    low[i] = Math.min(from - 1, Math.floor(place));
    high[i] = Math.min(from - 1, low[i]! + 1);
    share[i] = place - low[i]!;
  }
  return { low, high, share };
}
