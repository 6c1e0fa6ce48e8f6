import { named } from '../../../base/named.js';
import type { Transform } from './augmentation.js';
import { clahe } from './clahe.js';
import { colorJitter } from './color-jitter.js';
import { elasticTransform, gridDistortion } from './elastic.js';
import { randomBrightness, randomContrast, randomSaturation, randomSharpness } from './enhance.js';
import { randomErasing } from './erasing.js';
import { affine, horizontalFlip, randomResizedCrop, rotate, rotate90, verticalFlip } from './geometric.js';
import { hueSaturationValue } from './hue-saturation-value.js';
import { perspective } from './perspective.js';
import {
  coarseDropout,
  gaussianBlur,
  gaussNoise,
  imageCompression,
  randomGamma,
  toGray,
} from './photometric.js';
import { presets } from './presets.js';
import { randAugment, trivialAugment } from './rand-augment.js';
import { randomCrop, scaleJitter } from './scale-jitter.js';
import { autoContrast, equalize, invert, posterize, solarize } from './tone.js';

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
  'scale-jitter': scaleJitter,
  'padded-crop': randomCrop,
  perspective,
  elastic: elasticTransform,
  grid: gridDistortion,
  erase: randomErasing,
  brightness: randomBrightness,
  contrast: randomContrast,
  saturation: randomSaturation,
  sharpness: randomSharpness,
  hsv: hueSaturationValue,
  posterize,
  solarize,
  negative: invert,
  autocontrast: autoContrast,
  equalize,
  clahe,
  rand: randAugment,
  trivial: trivialAugment,
  ...presets,
} satisfies Record<string, () => Transform>;

/**
 * The augmentations by name, each with its default settings, and the presets.
 *
 * @example
 * augmentations.register('steep', () => rotate({ limit: 45 }));
 * const changes = ['flip', 'steep'].map((name) => augmentations.make(name));
 */
export const augmentations = named<keyof typeof TABLE, () => Transform>('augmentation', TABLE);
