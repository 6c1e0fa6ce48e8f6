import type { Random } from '../../../random/random-stream.js';
import { applyColourEdit } from '../../pixels/apply-edits.js';
import type { Colours } from '../../pixels/colours.js';
import type { ColourEdit, Edit } from '../../pixels/edit.js';
import type { Move } from '../../pixels/moved.js';
import { checkSettings, SHARE } from './check-settings.js';

export type { Colours };

/** Colours, and the class ids of their mask where there is one; both may be changed in place. */
export interface MaskedColours extends Colours {
  readonly mask?: Uint8Array;
}

/** RGB bytes, or 16-bit values of any number of channels, of which 65535 is full scale. */
export interface DeepColours {
  readonly width: number;
  readonly height: number;
  readonly image: Uint8Array | Uint16Array;
}

/** The same with a mask. */
export interface MaskedDeepColours extends DeepColours {
  readonly mask?: Uint8Array;
}

/**
 * One random change of a sample, applied with the probability `p`.
 *
 * `geometric` gives a map from output to input coordinates, in units of the image's width and height with the centre
 * at 0: an affine one, another one as data (`Curve`), or a function (`Distortion`), which holds up the event loop. It is told the aspect, width over height, which a rotation needs,
 * and the width in pixels. `photometric` changes colours in place and never the mask; `joint` changes colours and mask
 * in place. Both are for RGB bytes, unless `deep` says that they take 16-bit values of any number of channels, too, as
 * geometric ones do. `choose` picks another transform, or several of which each is applied with its own `p`. The draws
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
export type Transform = {
  readonly name: string;
  readonly p: number;
  /** Whether it takes 16-bit values of any number of channels (`MaskedDeepColours`), too. Default: if it is geometric. */
  readonly deep?: boolean;
} & (
  | {
      /** The map from output to input coordinates. */
      readonly geometric: (random: Random, aspect: number, width: number) => Move;
    }
  | {
      /** Changes the colours in place. */
      readonly photometric: (colours: Colours, random: Random) => void | Promise<void>;
      /** The same change of RGB bytes as data, from the same draws, where native code carries it out. */
      readonly edit?: DrawnEdit;
    }
  | {
      /** Changes colours and mask in place. */
      readonly joint: (picture: MaskedColours, random: Random) => void | Promise<void>;
      /** The same change of RGB bytes and mask as data, from the same draws. */
      readonly edit?: (random: Random, size: Omit<Colours, 'image'>) => Edit;
    }
  | {
      /** Picks another transform, or several. */
      readonly choose: (random: Random) => Transform | readonly Transform[];
    }
);

/** Draws a change of colours. */
type DrawnEdit = (random: Random, size: Omit<Colours, 'image'>) => ColourEdit;

/** Whether a transform takes 16-bit values of any number of channels. */
export function isDeep(transform: Transform): boolean {
  return transform.deep ?? 'geometric' in transform;
}

/** A transform that changes colours. */
export type Recolour = Extract<Transform, { readonly photometric: unknown }>;

/** A transform whose change of colours is data. */
export function recolour(name: string, p: number, edit: DrawnEdit): Recolour {
  const photometric = (colours: Colours, random: Random) => applyColourEdit(colours, edit(random, colours));
  return { name, p, photometric, edit };
}

/** A change of bytes that looks at each by itself, as data: what it makes of all 256. */
export function tableOf(change: (colours: Colours) => void): ColourEdit {
  const table = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  change({ width: 256, height: 1, image: table });
  return { kind: 'table', table };
}

/** The probability that a transform is applied, 0 to 1. */
export interface Chance {
  /** Default: the transform's own. */
  readonly p?: number;
}

/** @throws UserError where a probability is not from 0 to 1. */
export function checkChances(
  by: string,
  all: readonly { readonly name: string; readonly p: number }[],
): void {
  for (const { name, p } of all) checkSettings(by, { [`the p of ${name}`]: [p, SHARE] });
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
  return { name: `oneOf(${transforms.map(({ name }) => name)})`, p, deep: transforms.every(isDeep), choose };
}

/**
 * Applies several transforms in turn, each with its own `p`, or none of them. Default p 1.
 *
 * @example
 * const weather = sequential([randomGamma({ p: 1 }), gaussianBlur()], { p: 0.3 });
 */
export function sequential(transforms: readonly Transform[], { p = 1 }: Chance = {}): Transform {
  checkChances('sequential', [{ name: 'sequential', p }, ...transforms]);
  return {
    name: `sequential(${transforms.map(({ name }) => name)})`,
    p,
    deep: transforms.every(isDeep),
    choose: () => transforms,
  };
}

/** Uniform between two limits. */
export function between(random: Random, [low, high]: Range): number {
  return low + (high - low) * random();
}

/** Uniform from −limit to limit. */
export function around(random: Random, limit: number): number {
  return limit * (2 * random() - 1);
}
