import { UserError } from '../../../base/errors.js';
import { type Random, randomStream } from '../../../random/random-stream.js';
import type { Item, Sample } from '../../types.js';
import { type Affine, compose, IDENTITY, warp } from './affine.js';

/** RGB bytes, row by row, that a transform may change in place. */
export interface Colours {
  readonly width: number;
  readonly height: number;
  readonly image: Uint8Array;
}

/**
 * One random change of a sample, applied with the probability `p`.
 *
 * `geometric` gives an affine map from output to input coordinates, in units of the image's width and height with the
 * centre at 0; `aspect` is that width over that height, which a rotation needs. `photometric` changes colours in place and never the mask. `choose` picks another transform. The draws
 * of `random` are seeded by the transform's name and place.
 *
 * @example
 * const invert: Transform = {
 *   name: 'invert',
 *   p: 0.2,
 *   photometric: ({ image }) => image.forEach((byte, i) => { image[i] = 255 - byte; }),
 * };
 * const drift: Transform = { name: 'drift', p: 0.5, geometric: (random) => [1, 0, 0.1 * random(), 0, 1, 0] };
 */
export type Transform = { readonly name: string; readonly p: number } & (
  | {
      /** The affine map from output to input coordinates. */
      readonly geometric: (random: Random, aspect: number) => Affine;
    }
  | {
      /** Changes the colours in place. */
      readonly photometric: (colours: Colours, random: Random) => void | Promise<void>;
    }
  | {
      /** Picks another transform. */
      readonly choose: (random: Random) => Transform;
    }
);

/** The probability that a transform is applied, 0 to 1. */
export interface Chance {
  /** Default: the transform's own. */
  readonly p?: number;
}

/** Limits of a uniform draw. */
export type Range = readonly [low: number, high: number];

/** Applies one of several transforms, picked in proportion to their own `p`. Default p .5. */
export function oneOf(transforms: readonly Transform[], { p = 0.5 }: Chance = {}): Transform {
  const total = transforms.reduce((sum, transform) => sum + transform.p, 0);
  const choose = (random: Random) => {
    let remainder = total * random();
    return transforms.find((transform) => (remainder -= transform.p) < 0) ?? transforms.at(-1)!;
  };
  return { name: `oneOf(${transforms.map(({ name }) => name)})`, p, choose };
}

/** A sample with a mask, which moves with the image, or without one. */
export type MaybeMasked = Sample<Item> & { readonly mask?: Uint8Array };

/**
 * Applies transforms to one sample: all geometric ones as one map for the image (bilinear, black outside) and the
 * mask (nearest, 255 outside), then the photometric ones in order. The sample that it is given stays as it was.
 *
 * Each transform draws from its own stream, keyed by (seed, its place and name, epoch, index): a sample is augmented
 * alike wherever in a run it comes up, and adding a transform at the end changes no other's draws.
 *
 * @throws UserError for a sample that is normalised already: transforms are defined on bytes.
 */
export async function augmentSample<S extends MaybeMasked>(
  sample: S,
  transforms: readonly Transform[],
): Promise<S> {
  const { seed, epoch, index } = sample.plan;
  const { width, height, image, mask } = sample;
  if (!(image instanceof Uint8Array))
    throw new UserError(
      'augment: expected bytes, got a normalised image; put augment(…) before normalize(…)',
    );
  let map = IDENTITY;
  const recolour: ((colours: Colours) => void | Promise<void>)[] = [];
  transforms.forEach((entry, place) => {
    const random = randomStream(seed, 'augment', place, entry.name, epoch, index);
    if (random() >= entry.p) return;
    let transform = entry;
    while ('choose' in transform) transform = transform.choose(random);
    if ('geometric' in transform) map = compose(map, transform.geometric(random, width / height));
    else recolour.push((colours) => transform.photometric(colours, random));
  });
  // Not `slice`, which is a view where the bytes are a Node Buffer.
  const result =
    map === IDENTITY
      ? { image: new Uint8Array(image) }
      : warp({ width, height, image, ...(mask && { mask }) }, map);
  for (const change of recolour) await change({ width, height, image: result.image });
  return { ...sample, ...result };
}

/** Uniform between two limits. */
export function between(random: Random, [low, high]: Range): number {
  return low + (high - low) * random();
}

/** Uniform from −limit to limit. */
export function around(random: Random, limit: number): number {
  return limit * (2 * random() - 1);
}
