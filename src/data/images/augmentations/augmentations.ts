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

const TABLE = {
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
} satisfies Record<string, () => Transform>;

/**
 * The augmentations by name, each with its default settings.
 *
 * @example
 * augmentations.register('steep', () => rotate({ limit: 45 }));
 * const changes = ['flip', 'steep'].map((name) => augmentations.make(name));
 */
export const augmentations = named<keyof typeof TABLE, () => Transform>('augmentation', TABLE);
