import { type Values, valuesLike } from '../pixels/values.js';
import type { Tile } from '../types.js';

/** Values of a picture, row by row, `channels` of them a pixel. */
interface Grid<V extends Values> {
  readonly width: number;
  readonly height: number;
  readonly data: V;
}

/** The window of a picture that a tile is; what lies beyond the picture is `fill`. */
export function crop<V extends Values>(
  { width, height, data }: Grid<V>,
  tile: Tile,
  channels: number,
  fill: number,
): V {
  const result = valuesLike(data, tile.width * tile.height * channels);
  result.fill(fill);
  const columns = Math.min(tile.width, width - tile.left);
  for (let y = 0; y < Math.min(tile.height, height - tile.top); y++) {
    const from = ((tile.top + y) * width + tile.left) * channels;
    result.set(data.subarray(from, from + columns * channels), y * tile.width * channels);
  }
  return result;
}
