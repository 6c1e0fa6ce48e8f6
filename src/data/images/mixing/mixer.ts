import { UserError } from '../../../base/errors.js';
import type { Random } from '../../../random/random-stream.js';
import type { Item, SamplePlan } from '../../types.js';
import type { Chance, MaskedColours, MaskedDeepColours } from '../augmentations/augmentation.js';

export type { Chance, MaskedColours, MaskedDeepColours };

/**
 * A way to make one sample of several, applied with the probability `p`.
 *
 * `mix` changes the picture in place and leaves its partners, which have its size; it returns the picture's own share
 * of the result and that of each partner, which sum to one. All randomness comes from `random`.
 *
 * @example
 * const average: Mixer = {
 *   name: 'average',
 *   p: 0.5,
 *   partners: 1,
 *   mix: ({ image }, [partner]) => {
 *     image.forEach((byte, i) => { image[i] = Math.round((byte + partner!.image[i]!) / 2); });
 *     return [0.5, 0.5];
 *   },
 * };
 */
export interface Mixer {
  readonly name: string;
  readonly p: number;
  /** How many other samples it takes. */
  readonly partners: number;
  /** Whether it needs samples with masks, or none that has one. Default: it takes both. */
  readonly masks?: 'required' | 'refused';
  /** Whether it takes `MaskedDeepColours`, too: 16-bit values of any number of channels. Default false. */
  readonly deep?: boolean;
  /** Mixes partners into the picture, in place; returns the shares. */
  mix(picture: MaskedColours, partners: readonly MaskedColours[], random: Random): readonly number[];
}

/** @throws UserError where a mixer does not take samples with masks, or without. */
export function checkMixer({ name, masks }: Mixer, masked: boolean, flag = ''): void {
  if (masks === 'refused' && masked)
    throw new UserError(
      `${flag}${name}: expected labelled pictures, got masks, whose classes have no mean; use cutmix, classmix, copy-paste or mosaic`,
    );
  if (masks === 'required' && !masked)
    throw new UserError(
      `${flag}${name}: expected samples with masks, got none; use mixup, cutmix or mosaic for labelled pictures`,
    );
}

/** The share that one sample has in a mixed one; those of a sample sum to one. */
export interface Part<I extends Item = Item> {
  readonly plan: SamplePlan<I>;
  readonly share: number;
}

/** What a sample is made of, where it was mixed. */
export interface Mixed<I extends Item = Item> {
  readonly parts?: readonly Part<I>[];
}
