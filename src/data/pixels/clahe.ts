import { type Colours, grey, toByte } from './colours.js';

/** Equalises the luma by tiles, at most `most` along each side, in place; all channels move by as much. */
export function equalizedByTile({ width, height, image }: Colours, clip: number, most: number): void {
  const [columns, rows] = [Math.min(most, width), Math.min(most, height)];
  const luma = Uint8Array.from({ length: width * height }, (_, i) => grey(image, 3 * i));
  const maps: Float64Array[] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const [left, right] = [column, column + 1].map((at) => Math.floor((at * width) / columns));
      const [top, bottom] = [row, row + 1].map((at) => Math.floor((at * height) / rows));
      maps.push(tileMap(luma, width, { left: left!, right: right!, top: top!, bottom: bottom! }, clip));
    }
  const [across, down] = [neighbours(width, columns), neighbours(height, rows)];
  for (let y = 0, at = 0; y < height; y++) {
    const [above, below, t] = [down.first[y]! * columns, down.second[y]! * columns, down.share[y]!];
    for (let x = 0; x < width; x++, at++) {
      const [left, right, s] = [across.first[x]!, across.second[x]!, across.share[x]!];
      const old = luma[at]!;
      const top = (1 - s) * maps[above + left]![old]! + s * maps[above + right]![old]!;
      const bottom = (1 - s) * maps[below + left]![old]! + s * maps[below + right]![old]!;
      const change = (1 - t) * top + t * bottom - old;
      for (let i = 3 * at; i < 3 * at + 3; i++) image[i] = toByte(image[i]! + change);
    }
  }
}

/** For each of `length` pixels the two of `count` tiles around it, and the share of the second. */
function neighbours(length: number, count: number) {
  const [first, second] = [new Uint16Array(length), new Uint16Array(length)];
  const share = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const at = Math.min(count - 1, Math.max(0, (i + 0.5) * (count / length) - 0.5));
    first[i] = Math.floor(at);
    second[i] = Math.min(count - 1, first[i]! + 1);
    share[i] = at - first[i]!;
  }
  return { first, second, share };
}

/** The map of a tile: its cumulative counts, which are clipped, scaled to 255. */
function tileMap(
  luma: Uint8Array,
  stride: number,
  { left, right, top, bottom }: Readonly<Record<'left' | 'right' | 'top' | 'bottom', number>>,
  clip: number,
): Float64Array {
  const counts = new Float64Array(256);
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) counts[luma[y * stride + x]!]!++;
  const total = (right - left) * (bottom - top);
  const limit = (clip * total) / 256;
  const rest = counts.reduce((sum, count) => sum + Math.max(0, count - limit), 0);
  let sum = 0;
  return counts.map((count) => {
    sum += Math.min(count, limit) + rest / 256;
    return (255 * sum) / total;
  });
}
