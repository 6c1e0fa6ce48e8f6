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
export const augmentationCatalogue = named('augmentation', {
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
});

/** Augmentations by their names, in the order in which they are given. @throws UserError that names the nearest one. */
export function augmentations(names: readonly string[]): Transform[] {
  return names.map((name) => augmentationCatalogue.make(name));
}
