import type { Random } from '../../random/random-stream.js';
import { valueNoise } from './texture.js';

/** Redraws an RGB picture (bytes, row by row) in another style; nothing moves, so the mask stays valid. */
export type Style = (image: Uint8Array, width: number, height: number, random: Random) => Uint8Array;

/** The styles of the fixture's second domain. */
export const STYLES: Readonly<Record<'ink' | 'mosaic' | 'neon', Style>> = { ink, mosaic, neon };

/** Pen on paper: contours as dark lines, dark parts hatched, the colours nearly gone. */
function ink(image: Uint8Array, width: number, height: number, random: Random): Uint8Array {
  const edges = contours(image, width, height);
  const angle = Math.PI * random();
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const paper = valueNoise(random, 9);
  return redraw(image, width, (at, x, y) => {
    const dark = 1 - luminance(image, at) / 255;
    const hatch = Math.sin((cos * x + sin * y) * 1.6) > 1.6 - 2.4 * dark ? 0.45 : 1;
    const tone = (0.86 + 0.12 * paper(x, y)) * hatch * (1 - Math.min(0.9, edges[at]! / 110));
    return (c) => 255 * tone * [1, 0.96, 0.86][c]! * 0.85 + 0.15 * image[at * 3 + c]!;
  });
}

/** Tiles: each pixel takes the colour of its tile's centre, with grout between the tiles. */
function mosaic(image: Uint8Array, width: number, height: number, random: Random): Uint8Array {
  const side = 6;
  const columns = Math.ceil(width / side);
  const rows = Math.ceil(height / side);
  const centres = Array.from({ length: columns * rows }, (_, i) => [
    ((i % columns) + 0.15 + 0.7 * random()) * side,
    (Math.floor(i / columns) + 0.15 + 0.7 * random()) * side,
  ]);
  return redraw(image, width, (_, x, y) => {
    let [first, second, nearest] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
    const [column, row] = [Math.floor(x / side), Math.floor(y / side)];
    for (let v = Math.max(0, row - 1); v <= Math.min(rows - 1, row + 1); v++)
      for (let u = Math.max(0, column - 1); u <= Math.min(columns - 1, column + 1); u++) {
        const [cx, cy] = centres[v * columns + u]!;
        const d = Math.hypot(x - cx!, y - cy!);
        if (d < first) [first, second, nearest] = [d, first, v * columns + u];
        else if (d < second) second = d;
      }
    const [cx, cy] = centres[nearest]!;
    const from = Math.min(height - 1, Math.floor(cy!)) * width + Math.min(width - 1, Math.floor(cx!));
    const grout = second - first < 0.8 ? 0.35 : 1;
    return (c) => grout * Math.min(255, Math.round((image[from * 3 + c]! * 1.15) / 48) * 48);
  });
}

/** Signs at night: contours glow in one of two hues, everything else is dark. */
function neon(image: Uint8Array, width: number, height: number, random: Random): Uint8Array {
  const edges = contours(image, width, height);
  const hue = random() * 3;
  return redraw(image, width, (at) => {
    const glow = Math.min(1, edges[at]! / 90);
    const inverse = 0.25 * (1 - luminance(image, at) / 255);
    return (c) => {
      const tint = 0.5 + 0.5 * Math.cos(2 * Math.PI * ((c + hue) / 3));
      const value = image[at * 3 + ((c + 1) % 3)]! / 255;
      return 255 * Math.min(1, inverse * (0.3 + 0.7 * value) + glow * (0.25 + 0.9 * tint));
    };
  });
}

function redraw(
  image: Uint8Array,
  width: number,
  pixel: (at: number, x: number, y: number) => (channel: number) => number,
): Uint8Array {
  const out = new Uint8Array(image.length);
  for (let at = 0; at < image.length / 3; at++) {
    const value = pixel(at, at % width, Math.floor(at / width));
    for (let c = 0; c < 3; c++) out[at * 3 + c] = Math.min(255, Math.max(0, Math.round(value(c))));
  }
  return out;
}

function luminance(image: Uint8Array, at: number): number {
  return 0.299 * image[at * 3]! + 0.587 * image[at * 3 + 1]! + 0.114 * image[at * 3 + 2]!;
}

/** The length of the colour gradient at each pixel (Sobel 1968), divided by four; zero at the picture's rim. */
function contours(image: Uint8Array, width: number, height: number): Float64Array {
  const edges = new Float64Array(width * height);
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      let sum = 0;
      for (let c = 0; c < 3; c++) {
        const at = (dx: number, dy: number) => image[((y + dy) * width + x + dx) * 3 + c]!;
        const gx = at(1, -1) + 2 * at(1, 0) + at(1, 1) - at(-1, -1) - 2 * at(-1, 0) - at(-1, 1);
        const gy = at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1);
        sum += gx * gx + gy * gy;
      }
      edges[y * width + x] = Math.sqrt(sum) / 4;
    }
  return edges;
}
