import type { Random } from '../../random/random-stream.js';
import { CREATURES, FAMILIES, type Family, member, THINGS } from './families.js';
import { distance, type Shape } from './shape.js';
import { average, type Colour, type Texture, texture } from './texture.js';

/** A generated picture: RGB bytes row by row, and for each pixel what it shows, 0 = background, n = FAMILIES[n − 1]. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly image: Uint8Array;
  readonly labels: Uint8Array;
  /** The family of the main figure. */
  readonly family: Family;
}

interface Figure {
  readonly family: Family;
  readonly shape: Shape;
  readonly look: Texture;
  readonly x: number;
  readonly y: number;
  /** Pixels in a unit of the shape, negative x mirrored. */
  readonly scale: number;
  readonly mirror: number;
  readonly cos: number;
  readonly sin: number;
}

/**
 * Draws a scene: one main figure of the given family, up to three things around it, over or under it, on a textured
 * background. Colours and textures of all come from one distribution, so neither tells figure from ground.
 */
export function scene(random: Random, width: number, height: number, family: Family): Scene {
  const size = Math.min(width, height);
  const ground = texture(random, size);
  const looks = [ground];
  const figure = (of: Family, x: number, y: number, scale: number): Figure => {
    const look = distinct(random, size, looks);
    looks.push(look);
    const angle = 0.5 * (random() - 0.5);
    const mirror = random() < 0.5 ? -1 : 1;
    return {
      family: of,
      shape: member(of, random),
      look,
      x,
      y,
      scale,
      mirror,
      cos: Math.cos(angle),
      sin: Math.sin(angle),
    };
  };
  const [mx, my] = [width * (0.35 + 0.3 * random()), height * (0.4 + 0.2 * random())];
  const main = figure(family, mx, my, size * (0.9 + 0.35 * random()));
  const others = Array.from({ length: Math.floor(4 * random()) }, () => {
    const angle = 2 * Math.PI * random();
    const [x, y] = [mx + 0.5 * width * Math.cos(angle), my + 0.45 * height * Math.sin(angle)];
    return figure(THINGS[Math.floor(THINGS.length * random())]!, x, y, size * (0.35 + 0.35 * random()));
  });
  const before = others.filter(() => random() < 0.3);
  const figures = [...others.filter((other) => !before.includes(other)), main, ...before];

  const pixels = new Float64Array(width * height * 3);
  const labels = new Uint8Array(width * height);
  fill(pixels, ground, width, height);
  for (const each of figures) paint(pixels, labels, each, width, height);
  return { width, height, image: develop(pixels, random, width), labels, family };
}

/** A creature's scene, of which the fixture consists. */
export function creatureScene(random: Random, width: number, height: number): Scene {
  return scene(random, width, height, CREATURES[Math.floor(CREATURES.length * random())]!);
}

function distinct(random: Random, size: number, others: readonly Texture[]): Texture {
  for (;;) {
    const candidate = texture(random, size);
    if (others.every((other) => apart(average(candidate), average(other)) > 0.16)) return candidate;
  }
}

function apart(a: Colour, b: Colour): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function fill(pixels: Float64Array, look: Texture, width: number, height: number): void {
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) blend(pixels, y * width + x, look, look.pattern(x, y), 1, 1);
}

function paint(
  pixels: Float64Array,
  labels: Uint8Array,
  figure: Figure,
  width: number,
  height: number,
): void {
  const { shape, look, scale, mirror, cos, sin } = figure;
  const label = FAMILIES.indexOf(figure.family) + 1;
  const reach = 0.85 * scale;
  const [left, right] = [
    Math.max(0, Math.floor(figure.x - reach)),
    Math.min(width, Math.ceil(figure.x + reach)),
  ];
  const [top, bottom] = [
    Math.max(0, Math.floor(figure.y - reach)),
    Math.min(height, Math.ceil(figure.y + reach)),
  ];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const [dx, dy] = [(x + 0.5 - figure.x) / scale, (y + 0.5 - figure.y) / scale];
      const [u, v] = [mirror * (cos * dx + sin * dy), cos * dy - sin * dx];
      const d = distance(shape, u, v) * scale;
      if (d >= 0.5) continue;
      const at = y * width + x;
      const depth = Math.min(1, Math.max(0, -d) / (0.06 * scale));
      blend(
        pixels,
        at,
        look,
        look.pattern(x, y),
        (0.72 + 0.28 * depth) * (1.05 - 0.35 * v),
        Math.min(1, 0.5 - d),
      );
      if (d < 0) labels[at] = label;
    }
  }
}

function blend(
  pixels: Float64Array,
  at: number,
  { colours: [a, b] }: Texture,
  t: number,
  light: number,
  alpha: number,
): void {
  for (let c = 0; c < 3; c++) {
    const value = (a[c]! + t * (b[c]! - a[c]!)) * light;
    pixels[at * 3 + c] = pixels[at * 3 + c]! * (1 - alpha) + value * alpha;
  }
}

/** Light from one side, a little sensor noise, and bytes. */
function develop(pixels: Float64Array, random: Random, width: number): Uint8Array {
  const slope = (0.3 * (random() - 0.5)) / width;
  const bytes = new Uint8Array(pixels.length);
  for (let at = 0; at < pixels.length / 3; at++) {
    const light = 1 + slope * ((at % width) - width / 2);
    const noise = 0.05 * (random() - 0.5);
    for (let c = 0; c < 3; c++)
      bytes[at * 3 + c] = Math.min(255, Math.max(0, Math.round(255 * (pixels[at * 3 + c]! * light + noise))));
  }
  return bytes;
}
