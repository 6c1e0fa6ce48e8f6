/** Points of a boundary per pixel and axis. */
const SCALE = 5;

/** What a polygon is drawn into: one byte a pixel, column by column. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** 1 where it is covered. */
  readonly columns: Uint8Array;
}

/** The number of steps along a polygon's boundary: what drawing it costs. */
export function boundaryLength(polygon: readonly number[]): number {
  let steps = 0;
  for (let i = 0; i < polygon.length; i += 2) {
    const next = (i + 2) % polygon.length;
    const [dx, dy] = [polygon[next]! - polygon[i]!, polygon[next + 1]! - polygon[i + 1]!];
    steps += SCALE * Math.max(Math.abs(dx), Math.abs(dy)) + 1;
  }
  return steps;
}

/**
 * Covers a polygon, x0, y0, x1, y1, …, in pixels: bit for bit what pycocotools covers.
 *
 * The boundary is walked on a grid of five points per pixel, along the longer axis of each side. Where it passes the middle
 * of a column, the side of the boundary changes from there downwards, so that a pixel is covered if an odd number of
 * passes lie above it (the even-odd rule, column by column).
 *
 * @returns the columns that it may lie in
 */
export function fillPolygon(
  { width, height, columns }: Canvas,
  polygon: readonly number[],
): [from: number, to: number] {
  const xs = polygon.filter((_, i) => i % 2 === 0);
  const bound = (x: number) => Math.min(width, Math.max(0, x));
  const [first, last] = [bound(Math.floor(least(xs)) - 1), bound(Math.ceil(-least(xs.map((x) => -x))) + 1)];
  const passes = new Uint8Array(Math.max(0, last - first) * height + 1);
  let [beforeX, beforeY] = [Number.NaN, 0];
  const visit = (x: number, y: number) => {
    if (x !== beforeX && !Number.isNaN(beforeX)) {
      const column = ((x < beforeX ? x : x - 1) + 0.5) / SCALE - 0.5;
      if (Number.isInteger(column) && column >= first && column < last) {
        const row = Math.ceil(Math.min(height, Math.max(0, (Math.min(y, beforeY) + 0.5) / SCALE - 0.5)));
        passes[(column - first) * height + row]! ^= 1;
      }
    }
    [beforeX, beforeY] = [x, y];
  };
  const grid = (value: number) => Math.trunc(SCALE * value + 0.5);
  for (let i = 0; i < polygon.length; i += 2) {
    const next = (i + 2) % polygon.length;
    walk(grid(polygon[i]!), grid(polygon[i + 1]!), grid(polygon[next]!), grid(polygon[next + 1]!), visit);
  }
  let inside = 0;
  for (let from = 0, at = first * height; at < last * height; from++, at++) {
    inside ^= passes[from]!;
    columns[at]! |= inside;
  }
  return [first, last];
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}

/** Visits the grid points of a side from its start to its end; they are those of the opposite direction. */
function walk(
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
  visit: (x: number, y: number) => void,
): void {
  const [dx, dy] = [Math.abs(toX - fromX), Math.abs(toY - fromY)];
  const steps = Math.max(dx, dy);
  if (steps === 0) return visit(fromX, fromY);
  const flat = dx >= dy;
  // Rounding depends on the end that is counted from: the lower one of the longer axis.
  const backwards = flat ? fromX > toX : fromY > toY;
  const [startX, startY, endX, endY] = backwards ? [toX, toY, fromX, fromY] : [fromX, fromY, toX, toY];
  const slope = flat ? (endY - startY) / dx : (endX - startX) / dy;
  for (let step = 0; step <= steps; step++) {
    const along = backwards ? steps - step : step;
    if (flat) visit(startX + along, Math.trunc(startY + slope * along + 0.5));
    else visit(Math.trunc(startX + slope * along + 0.5), startY + along);
  }
}
