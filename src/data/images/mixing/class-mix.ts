import type { Random } from '../../../random/random-stream.js';
import { channelsOf } from '../../pixels/values.js';
import { IGNORE_INDEX } from '../../types.js';
import { checkSettings } from '../augmentations/check-settings.js';
import type { Chance, MaskedDeepColours, Mixer } from './mixer.js';

/**
 * ClassMix (Olsson et al. 2021, arXiv:2007.07936): the pixels of half of the partner's classes, chosen at random, over
 * the picture and its mask. Half is rounded down: of one class nothing is taken. Default p .5.
 */
export function classMix({ p = 0.5 }: Chance = {}): Mixer {
  return {
    name: 'classMix',
    p,
    partners: 1,
    deep: true,
    masks: 'required',
    mix: (picture, [partner], random) => {
      const ids = partner!.mask!;
      const present = [...new Set(ids)].filter((id) => id !== IGNORE_INDEX).toSorted((a, b) => a - b);
      const chosen = new Set(sampled(present, Math.floor(present.length / 2), random));
      return paste(picture, partner!, (i) => chosen.has(ids[i]!));
    },
  };
}

/** Options of `copyPaste`. */
export interface CopyPasteOptions extends Chance {
  /** The class that is no object. Default: the partner's most frequent one. */
  readonly background?: number;
}

/**
 * Copy-paste (Ghiasi et al. 2021, arXiv:2012.07177): objects of the partner over the picture and its mask, each with
 * probability one half. Default p .5. Put `scaleJitter` before it, as the paper does.
 *
 * An object is a connected region of classes other than the background, four neighbours a pixel: the classes of a
 * thing's inside and of its border move together.
 */
export function copyPaste({ background, p = 0.5 }: CopyPasteOptions = {}): Mixer {
  if (background !== undefined)
    checkSettings('copyPaste', {
      background: [background, { least: 0, most: IGNORE_INDEX - 1, whole: true }],
    });
  return {
    name: 'copyPaste',
    p,
    partners: 1,
    deep: true,
    masks: 'required',
    mix: (picture, [partner], random) => {
      const ids = partner!.mask!;
      const { regions, count } = objects(ids, picture.width, background ?? mostFrequent(ids));
      const chosen = Array.from({ length: count + 1 }, (_, region) => region > 0 && random() < 0.5);
      return paste(picture, partner!, (i) => chosen[regions[i]!]!);
    },
  };
}

/** Copies the partner's pixels that are taken, in place; returns the shares. */
function paste(
  picture: MaskedDeepColours,
  partner: MaskedDeepColours,
  taken: (i: number) => boolean,
): readonly [number, number] {
  const { image, mask } = picture;
  const channels = channelsOf(picture);
  let count = 0;
  mask!.forEach((_, i) => {
    if (!taken(i)) return;
    count++;
    mask![i] = partner.mask![i]!;
    for (let k = channels * i; k < channels * (i + 1); k++) image[k] = partner.image[k]!;
  });
  const share = count / mask!.length;
  return [1 - share, share];
}

/** `count` of some values, without repeats. */
function sampled<T>(values: readonly T[], count: number, random: Random): T[] {
  const left = [...values];
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)[0]!);
}

/** The id that most pixels have, which is not 255 where there is another. */
function mostFrequent(ids: Uint8Array): number {
  const counts = new Uint32Array(IGNORE_INDEX);
  for (const id of ids) if (id !== IGNORE_INDEX) counts[id]!++;
  return counts.indexOf(Math.max(...counts));
}

/** The number of each pixel's object, from 1 up; 0 for the background and for ignored pixels. */
function objects(
  ids: Uint8Array,
  width: number,
  background: number,
): { readonly regions: Uint32Array; readonly count: number } {
  const regions = new Uint32Array(ids.length);
  const isObject = (i: number) => ids[i] !== background && ids[i] !== IGNORE_INDEX && regions[i] === 0;
  let count = 0;
  for (let start = 0; start < ids.length; start++) {
    if (!isObject(start)) continue;
    regions[start] = ++count;
    const stack = [start];
    while (stack.length > 0) {
      const at = stack.pop()!;
      const x = at % width;
      const around = [at - width, at + width, x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1];
      for (const next of around) {
        if (next < 0 || next >= ids.length || !isObject(next)) continue;
        regions[next] = count;
        stack.push(next);
      }
    }
  }
  return { regions, count };
}
