import type { Random } from '../../../random/random-stream.js';
import type { Enhancement } from '../../pixels/edit.js';
import { type Chance, type Recolour, recolour, type Transform, tableOf } from './augmentation.js';
import { checkSettings } from './check-settings.js';
import { brightness } from './enhance.js';
import { posterized, solarized } from './tone.js';

/** How many magnitudes there are, from 0. */
const BINS = 31;

/** What an operation makes at most: the last magnitude of the tables of torchvision. */
interface Space {
  readonly shear: number;
  /** The move at most, as a share of the picture. */
  readonly translate: (side: number) => number;
  /** Degrees. */
  readonly rotate: number;
  /** Factors 1 − x to 1 + x. */
  readonly enhance: number;
  /** Bits that are lost. */
  readonly posterize: number;
}

/** RandAugment's, and AutoAugment's. */
const STANDARD: Space = {
  shear: 0.3,
  translate: () => 150 / 331,
  rotate: 30,
  enhance: 0.9,
  posterize: 4,
};

/** TrivialAugment's, which are wide: moves of up to 32 pixels, whatever the size. */
const WIDE: Space = {
  shear: 0.99,
  translate: (side) => 32 / side,
  rotate: 135,
  enhance: 0.99,
  posterize: 6,
};

/** Options of `randAugment`. */
export interface RandAugmentOptions extends Chance {
  /** Operations a picture. Default 2. */
  readonly operations?: number;
  /** The magnitude of all operations, 0 to 30. Default 9. */
  readonly magnitude?: number;
}

/**
 * RandAugment (Cubuk et al. 2020, arXiv:1909.13719): a few operations out of fourteen, all of one magnitude, with
 * torchvision's magnitudes. Default p 1.
 *
 * Operations that move pixels move the mask with them. Here, as everywhere, all moves come before all colours and are
 * interpolated once, bilinearly.
 */
export function randAugment({ operations = 2, magnitude = 9, p = 1 }: RandAugmentOptions = {}): Transform {
  checkSettings('randAugment', {
    operations: [operations, { least: 0, whole: true }],
    magnitude: [magnitude, { least: 0, most: BINS - 1 }],
  });
  return {
    name: 'randAugment',
    p,
    choose: (random) =>
      Array.from({ length: operations }, () => operation(random, STANDARD, () => magnitude)),
  };
}

/**
 * TrivialAugment (Müller & Hutter 2021, arXiv:2103.10158): one operation out of fourteen, of a random magnitude, with
 * the wide space of magnitudes. Nothing to tune. Default p 1.
 *
 * @see randAugment
 */
export function trivialAugment({ p = 1 }: Chance = {}): Transform {
  return {
    name: 'trivialAugment',
    p,
    choose: (random) => operation(random, WIDE, () => Math.floor(random() * BINS)),
  };
}

/** One operation at a random sign, by its name and its magnitude's share of the largest. */
function operation(random: Random, space: Space, magnitude: () => number): Transform {
  const make = OPERATIONS[Math.floor(random() * OPERATIONS.length)]!;
  const share = magnitude() / (BINS - 1);
  return { p: 1, ...make(share, random() < 0.5 ? -share : share, space) };
}

type Operation = (
  share: number,
  signed: number,
  space: Space,
) => { readonly name: string } & (
  | Pick<Extract<Transform, { geometric: unknown }>, 'geometric'>
  | Pick<Recolour, 'photometric' | 'edit'>
);

const enhance =
  (name: string, kind: Enhancement): Operation =>
  (_, signed, { enhance: most }) =>
    recolour(name, 1, () => ({ kind, factor: 1 + signed * most }));

/** The operations, in the order of the paper's table. Shears hold the left and the upper edge, as torchvision's do. */
const OPERATIONS: readonly Operation[] = [
  () => recolour('identity', 1, () => tableOf(() => {})),
  (_, signed, { shear }) => ({
    name: 'shearX',
    geometric: (_random, aspect) => {
      const slant = (-signed * shear) / aspect;
      return [1, slant, slant / 2, 0, 1, 0];
    },
  }),
  (_, signed, { shear }) => ({
    name: 'shearY',
    geometric: (_random, aspect) => {
      const slant = -signed * shear * aspect;
      return [1, 0, 0, slant, 1, slant / 2];
    },
  }),
  (_, signed, { translate }) => ({
    name: 'translateX',
    geometric: (_random, _aspect, width) => [1, 0, pixels(-signed * translate(width), width), 0, 1, 0],
  }),
  (_, signed, { translate }) => ({
    name: 'translateY',
    geometric: (_random, aspect, width) => {
      const height = width / aspect;
      return [1, 0, 0, 0, 1, pixels(-signed * translate(height), height)];
    },
  }),
  (_, signed, { rotate }) => ({
    name: 'rotate',
    geometric: (_random, aspect) => {
      const angle = (signed * rotate * Math.PI) / 180;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      return [cos, -sin / aspect, 0, sin * aspect, cos, 0];
    },
  }),
  (_, signed, { enhance: most }) =>
    recolour('brightness', 1, () => tableOf((colours) => brightness(colours, 1 + signed * most))),
  enhance('color', 'saturation'),
  enhance('contrast', 'contrast'),
  enhance('sharpness', 'sharpness'),
  (share, _, space) =>
    recolour('posterize', 1, () =>
      tableOf((colours) => posterized(colours, 8 - Math.round(share * space.posterize))),
    ),
  (share) => recolour('solarize', 1, () => tableOf((colours) => solarized(colours, 255 * (1 - share)))),
  () => recolour('autocontrast', 1, () => ({ kind: 'autocontrast' })),
  () => recolour('equalize', 1, () => ({ kind: 'equalize' })),
];

/** A share of a side in whole pixels, towards zero. */
function pixels(share: number, side: number): number {
  return Math.trunc(share * side) / side;
}
