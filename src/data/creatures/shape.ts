/** A straight limb with round ends: from (x, y) with radius r to (x2, y2) with radius r2. A disc where both ends meet. */
export interface Limb {
  readonly x: number;
  readonly y: number;
  readonly r: number;
  readonly x2: number;
  readonly y2: number;
  readonly r2: number;
}

/** A filled polygon, convex or not: x, y, x, y, … */
export interface Polygon {
  readonly points: readonly number[];
}

/** A flat figure about as large as the unit square around the origin, y downwards: the union of its parts. */
export type Shape = readonly (Limb | Polygon)[];

/** A limb; a disc when only one end is given. */
export function limb(x: number, y: number, r: number, x2 = x, y2 = y, r2 = r): Limb {
  return { x, y, r, x2, y2, r2 };
}

/** A polygon by its corners: x, y, x, y, … */
export function polygon(...points: readonly number[]): Polygon {
  return { points };
}

/**
 * Signed distance from (x, y) to the edge of a shape, negative inside: exact outside a polygon or a limb of even
 * width, close to exact for a tapered one.
 */
export function distance(shape: Shape, x: number, y: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const part of shape) {
    const d = 'points' in part ? toPolygon(part, x, y) : toLimb(part, x, y);
    if (d < least) least = d;
  }
  return least;
}

function toLimb(part: Limb, x: number, y: number): number {
  const [dx, dy, px, py] = [part.x2 - part.x, part.y2 - part.y, x - part.x, y - part.y];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length));
  const [ex, ey] = [px - t * dx, py - t * dy];
  return Math.sqrt(ex * ex + ey * ey) - (part.r + t * (part.r2 - part.r));
}

function toPolygon({ points }: Polygon, x: number, y: number): number {
  let least = Number.POSITIVE_INFINITY;
  let inside = false;
  for (let i = 0, j = points.length - 2; i < points.length; j = i, i += 2) {
    const [ax, ay, bx, by] = [points[i]!, points[i + 1]!, points[j]!, points[j + 1]!];
    const [dx, dy, px, py] = [bx - ax, by - ay, x - ax, y - ay];
    const t = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy)));
    const [ex, ey] = [px - t * dx, py - t * dy];
    least = Math.min(least, ex * ex + ey * ey);
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside ? -Math.sqrt(least) : Math.sqrt(least);
}
