import type { Tile } from '../types.js';

/** Values of a picture, row by row, `channels` of them a pixel. */
interface Grid {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** The window of a picture that a tile is; what lies beyond the picture is `fill`. */
export function crop({ width, height, data }: Grid, tile: Tile, channels: number, fill: number): Uint8Array {
  const result = new Uint8Array(tile.width * tile.height * channels).fill(fill);
  const columns = Math.min(tile.width, width - tile.left);
  for (let y = 0; y < Math.min(tile.height, height - tile.top); y++) {
    const from = ((tile.top + y) * width + tile.left) * channels;
    result.set(data.subarray(from, from + columns * channels), y * tile.width * channels);
  }
  return result;
}
