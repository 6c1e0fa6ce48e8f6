import type { Random } from '../../random/random-stream.js';

/** Red, green, blue, each from 0 to 1. */
export type Colour = readonly [number, number, number];

/** The place of a texture between its two colours at a pixel, from 0 to 1. */
type Pattern = (x: number, y: number) => number;

/** How a surface looks: two colours, and a pattern that mixes them. */
export interface Texture {
  readonly colours: readonly [Colour, Colour];
  readonly pattern: Pattern;
}

/** Draws a texture: colours and patterns come from the same distribution for creatures, things and backgrounds. */
export function texture(random: Random, size: number): Texture {
  const first = colour(random);
  const second = mix(first, colour(random), 0.35 + 0.5 * random());
  const make = PATTERNS[Math.floor(PATTERNS.length * random())]!;
  return { colours: [first, second], pattern: make(random, size) };
}

/** The texture's average colour. */
export function average({ colours: [a, b] }: Texture): Colour {
  return mix(a, b, 0.5);
}

export function mix(a: Colour, b: Colour, t: number): Colour {
  return [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])];
}

/** A colour by hue, saturation and value, each from 0 to 1 (Smith 1978). */
export function hsv(hue: number, saturation: number, value: number): Colour {
  const channel = (n: number) => {
    const k = (n + hue * 6) % 6;
    return value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1));
  };
  return [channel(5), channel(3), channel(1)];
}

function colour(random: Random): Colour {
  return hsv(random(), 0.1 + 0.7 * random(), 0.25 + 0.7 * random());
}

const PATTERNS: readonly ((random: Random, size: number) => Pattern)[] = [
  gradient,
  stripes,
  checks,
  spots,
  clouds,
  marble,
];

function gradient(random: Random, size: number): Pattern {
  const [cos, sin] = direction(random);
  return (x, y) => clamp(0.5 + (cos * (x - size / 2) + sin * (y - size / 2)) / size);
}

function stripes(random: Random, size: number): Pattern {
  const [cos, sin] = direction(random);
  const frequency = (2 * Math.PI) / (size * (0.05 + 0.1 * random()));
  return (x, y) => clamp(0.5 + 1.5 * Math.sin(frequency * (cos * x + sin * y)));
}

function checks(random: Random, size: number): Pattern {
  const [cos, sin] = direction(random);
  const side = size * (0.05 + 0.07 * random());
  return (x, y) => (Math.floor((cos * x + sin * y) / side) + Math.floor((cos * y - sin * x) / side)) & 1;
}

function spots(random: Random, size: number): Pattern {
  const side = size * (0.09 + 0.09 * random());
  const radius = 0.2 + 0.2 * random();
  const at = lattice(random);
  return (x, y) => {
    const [column, row] = [Math.floor(x / side), Math.floor(y / side)];
    const dx = x / side - column - 0.35 - 0.3 * at(column, row);
    const dy = y / side - row - 0.35 - 0.3 * at(row, column + 17);
    return clamp(0.5 + 6 * (radius - Math.sqrt(dx * dx + dy * dy)));
  };
}

function clouds(random: Random, size: number): Pattern {
  const [side, fine] = [size * (0.1 + 0.15 * random()), 0.3 + 0.4 * random()];
  const [coarse, detail] = [valueNoise(random, side), valueNoise(random, side / 3)];
  return (x, y) => clamp(0.5 + 1.6 * ((1 - fine) * coarse(x, y) + fine * detail(x, y) - 0.5));
}

function marble(random: Random, size: number): Pattern {
  const [cos, sin] = direction(random);
  const warp = valueNoise(random, size * 0.18);
  const frequency = (2 * Math.PI) / (size * (0.1 + 0.12 * random()));
  return (x, y) => 0.5 + 0.5 * Math.sin(frequency * (cos * x + sin * y) + 7 * warp(x, y));
}

/** Value noise: random values on a lattice of the given side, smoothly interpolated, from 0 to 1. */
export function valueNoise(random: Random, side: number): Pattern {
  const at = lattice(random);
  return (x, y) => {
    const [u, v] = [x / side, y / side];
    const [column, row] = [Math.floor(u), Math.floor(v)];
    const [s, t] = [smooth(u - column), smooth(v - row)];
    const top = at(column, row) * (1 - s) + at(column + 1, row) * s;
    const bottom = at(column, row + 1) * (1 - s) + at(column + 1, row + 1) * s;
    return top * (1 - t) + bottom * t;
  };
}

/** 256 random values, looked up by a hash of column and row. */
function lattice(random: Random): (column: number, row: number) => number {
  const values = Float64Array.from({ length: 256 }, () => random());
  return (column, row) => values[(Math.imul(column, 73856093) ^ Math.imul(row, 19349663)) & 255]!;
}

function direction(random: Random): [number, number] {
  const angle = Math.PI * random();
  return [Math.cos(angle), Math.sin(angle)];
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
