/** Values of a picture, row by row. */
interface Grid<T extends Uint8Array | Uint16Array> {
  readonly width: number;
  readonly height: number;
  readonly data: T;
}

/**
 * Rotates and mirrors a picture of one channel by its EXIF orientation, 1 to 8, like Pillow's
 * `ImageOps.exif_transpose`. Any other orientation leaves it as it is.
 */
export function oriented<T extends Uint8Array | Uint16Array>(grid: Grid<T>, orientation: number): Grid<T> {
  if (!(orientation >= 2 && orientation <= 8)) return grid;
  const { width, height, data } = grid;
  // EXIF 2.3, tag 274: where row 0 and column 0 of what is stored belong.
  const sides = orientation >= 5;
  const mirroredX = [2, 3, 6, 7].includes(orientation);
  const mirroredY = [3, 4, 7, 8].includes(orientation);
  const [toWidth, toHeight] = sides ? [height, width] : [width, height];
  const result = data.slice() as T;
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) {
      const [u, v] = sides ? [y, x] : [x, y];
      const column = mirroredX ? toWidth - 1 - u : u;
      const row = mirroredY ? toHeight - 1 - v : v;
      result[row * toWidth + column] = data[at]!;
    }
  return { width: toWidth, height: toHeight, data: result };
}
