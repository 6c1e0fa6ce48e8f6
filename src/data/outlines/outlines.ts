import { UserError } from '../../base/errors.js';
import { boundaryLength, type Canvas, fillPolygon } from './fill-polygon.js';
import { fillRuns, runLengths } from './run-lengths.js';

/** What covers some pixels: polygons, together, or run lengths as numbers or as COCO's text. */
export interface Shape {
  /** The id that a mask stores for it; 255 is ignored by losses and metrics. */
  readonly id: number;
  /** Polygons of x0, y0, x1, y1, … */
  readonly polygons?: readonly (readonly number[])[] | undefined;
  /** Lengths of runs, column by column. */
  readonly runs?: readonly number[] | string | undefined;
}

/** A mask as shapes, drawn when it is read: later shapes lie over earlier ones, and 0 is where none is. */
export interface Outlines {
  readonly kind: 'outlines';
  readonly width: number;
  readonly height: number;
  readonly shapes: readonly Shape[];
  /** What messages call it. */
  readonly name: string;
}

/** The most pixels of a mask: those of a picture, Pillow's limit. */
const MOST_PIXELS = 89_478_485;

/** The longest boundaries, in steps of a fifth of a pixel, of all polygons of a mask. */
const LONGEST = 2 ** 24;

/**
 * The ids of a mask, row by row.
 *
 * @throws UserError naming the mask, for a size that is none or too large, and for shapes that are damaged.
 */
export function drawn({ width, height, shapes, name }: Outlines): Uint8Array | Uint16Array {
  const fail = (got: string) =>
    new UserError(`${name}: expected shapes of a mask, got ${got}; correct the file`, { path: name });
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0))
    throw fail(`a size of ${width}×${height}`);
  if (width * height > MOST_PIXELS) throw fail(`${width}×${height} pixels, more than ${MOST_PIXELS}`);
  const polygons = shapes.flatMap((shape) => shape.polygons ?? []);
  if (polygons.some((one) => one.length < 6 || one.length % 2 !== 0 || !one.every(Number.isFinite)))
    throw fail('a polygon that has not three points or more');
  const steps = polygons.reduce((sum, one) => sum + boundaryLength(one), 0);
  if (steps > LONGEST) throw fail('polygons whose boundaries are too long');
  const wide = shapes.some(({ id }) => id > 255);
  const ids = wide ? new Uint16Array(width * height) : new Uint8Array(width * height);
  const columns = new Uint8Array(width * height);
  for (const shape of shapes) {
    let [from, to] = [0, 0];
    try {
      [from, to] = cover({ width, height, columns }, shape);
    } catch (error) {
      throw fail(`a shape of id ${shape.id} that cannot be drawn: ${(error as Error).message}`);
    }
    for (let x = from, at = from * height; x < to; x++)
      for (let y = 0; y < height; y++, at++) if (columns[at] === 1) ids[y * width + x] = shape.id;
    columns.fill(0, from * height, to * height);
  }
  return ids;
}

/** Covers a shape; returns the columns that it may lie in. */
function cover(canvas: Canvas, { polygons = [], runs }: Shape): [from: number, to: number] {
  const ranges = polygons.map((polygon) => fillPolygon(canvas, polygon));
  if (runs !== undefined) {
    fillRuns(canvas, typeof runs === 'string' ? runLengths(runs) : runs);
    ranges.push([0, canvas.width]);
  }
  return ranges.reduce(([a, b], [from, to]) => [Math.min(a, from), Math.max(b, to)], [canvas.width, 0]);
}

/** The mask as a grey PNG of its ids: what reads files then reads it, too. */
export async function outlinesPng(outlines: Outlines): Promise<Buffer> {
  const data = drawn(outlines);
  const { encode } = await import('fast-png');
  const { width, height } = outlines;
  const depth = data instanceof Uint16Array ? 16 : 8;
  return Buffer.from(encode({ width, height, data, depth, channels: 1 }, { zlib: { level: 1 } }));
}
