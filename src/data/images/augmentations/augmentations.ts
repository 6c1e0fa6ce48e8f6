import { named } from '../../../base/named.js';
import type { Transform } from './augmentation.js';
import { colorJitter } from './color-jitter.js';
import { affine, horizontalFlip, randomResizedCrop, rotate, rotate90, verticalFlip } from './geometric.js';
import {
  coarseDropout,
  gaussianBlur,
  gaussNoise,
  imageCompression,
  randomGamma,
  toGray,
} from './photometric.js';

/** The augmentations by the names that configurations use, with their default settings. */
export const AUGMENTATIONS = {
  flip: horizontalFlip,
  'vertical-flip': verticalFlip,
  rotate90,
  rotate,
  affine,
  crop: randomResizedCrop,
  color: colorJitter,
  gamma: randomGamma,
  gray: toGray,
  blur: gaussianBlur,
  noise: gaussNoise,
  jpeg: imageCompression,
  cutout: coarseDropout,
} as const satisfies Record<string, () => Transform>;

export type AugmentationName = keyof typeof AUGMENTATIONS;

export const AUGMENTATION_NAMES = Object.keys(AUGMENTATIONS) as [AugmentationName, ...AugmentationName[]];

/** Augmentations by their names, in the order in which they are given. @throws UserError that names the nearest one. */
export function augmentations(names: readonly AugmentationName[]): Transform[] {
  return names.map((name) => named('augmentation', AUGMENTATIONS, name)());
}
