import type { Size } from '../../data/images/image-size.js';
import type { Tile } from '../../data/types.js';
import type { LogitsShape } from './classes-at.js';

/** The probabilities of a whole picture, stitched from those of its tiles. */
export interface Stitched extends Size {
  /** [height, width, classes], row by row; each pixel's sum to 1. */
  readonly probabilities: Float32Array;
}

/**
 * Stitches the predictions of a picture's tiles, which come in the order of `tilesOf`: where tiles overlap, their
 * probabilities are averaged, each weighted by the distance to its own border, where a model sees least around a pixel.
 *
 * Logits of another size than the tile are interpolated, bilinear with half-pixel centres. One picture is held at a time.
 */
export class Stitcher {
  #sums = new Float32Array(0);
  #weights = new Float32Array(0);

  constructor(private readonly classes: number) {}

  /** Adds a tile's logits; the picture, when it was the last one. */
  add(logits: Float32Array, shape: Pick<LogitsShape, 'rows' | 'columns'>, tile: Tile): Stitched | undefined {
    const { picture, left, top, last } = tile;
    const { classes } = this;
    if (left === 0 && top === 0) {
      this.#sums = new Float32Array(picture.width * picture.height * classes);
      this.#weights = new Float32Array(picture.width * picture.height);
    }
    const [width, height] = [
      Math.min(tile.width, picture.width - left),
      Math.min(tile.height, picture.height - top),
    ];
    const pixel = new Float32Array(classes);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        interpolate(
          logits,
          shape,
          {
            x: ((x + 0.5) * shape.columns) / tile.width - 0.5,
            y: ((y + 0.5) * shape.rows) / tile.height - 0.5,
          },
          pixel,
        );
        const weight = ramp(x, tile.width) * ramp(y, tile.height);
        const at = (top + y) * picture.width + left + x;
        addSoftmax(pixel, weight, this.#sums, at * classes);
        this.#weights[at]! += weight;
      }
    return last ? this.#finished(picture) : undefined;
  }

  #finished({ width, height }: Size): Stitched {
    const probabilities = this.#sums;
    this.#weights.forEach((weight, pixel) => {
      for (let k = 0; k < this.classes; k++) probabilities[pixel * this.classes + k]! /= weight;
    });
    return { width, height, probabilities };
  }
}

/** Rises from both borders of a tile towards its middle, and is nowhere 0. */
function ramp(place: number, length: number): number {
  return Math.min(place + 1, length - place) / length;
}

function interpolate(
  logits: Float32Array,
  { rows, columns }: Pick<LogitsShape, 'rows' | 'columns'>,
  { x, y }: { readonly x: number; readonly y: number },
  pixel: Float32Array,
): void {
  const classes = pixel.length;
  const [u, v] = [Math.max(0, x), Math.max(0, y)];
  const [left, above] = [Math.min(columns - 1, Math.floor(u)), Math.min(rows - 1, Math.floor(v))];
  const [right, below] = [Math.min(columns - 1, left + 1), Math.min(rows - 1, above + 1)];
  const [across, down] = [u - left, v - above];
  const place = (row: number, column: number) => (row * columns + column) * classes;
  const [a, b, c, d] = [place(above, left), place(above, right), place(below, left), place(below, right)];
  for (let k = 0; k < classes; k++) {
    const upper = logits[a + k]! * (1 - across) + logits[b + k]! * across;
    const lower = logits[c + k]! * (1 - across) + logits[d + k]! * across;
    pixel[k] = upper * (1 - down) + lower * down;
  }
}

function addSoftmax(logits: Float32Array, weight: number, to: Float32Array, at: number): void {
  let most = -Infinity;
  for (const logit of logits) if (logit > most) most = logit;
  let total = 0;
  for (let k = 0; k < logits.length; k++) total += logits[k] = Math.exp(logits[k]! - most);
  for (let k = 0; k < logits.length; k++) to[at + k]! += (weight * logits[k]!) / total;
}
