import assert from 'node:assert/strict';
import { augment } from '../../../../operators/augment.js';
import { mixSamples } from '../../../../operators/mix-samples.js';
import { sequential } from '../../../../src/data/images/augmentations/augmentation.js';
import { clahe } from '../../../../src/data/images/augmentations/clahe.js';
import { elasticTransform, gridDistortion } from '../../../../src/data/images/augmentations/elastic.js';
import { randomBrightness } from '../../../../src/data/images/augmentations/enhance.js';
import { randomErasing } from '../../../../src/data/images/augmentations/erasing.js';
import { horizontalFlip } from '../../../../src/data/images/augmentations/geometric.js';
import { hueSaturationValue } from '../../../../src/data/images/augmentations/hue-saturation-value.js';
import { perspective } from '../../../../src/data/images/augmentations/perspective.js';
import { randAugment } from '../../../../src/data/images/augmentations/rand-augment.js';
import { randomCrop, scaleJitter } from '../../../../src/data/images/augmentations/scale-jitter.js';
import { posterize, solarize } from '../../../../src/data/images/augmentations/tone.js';
import { copyPaste } from '../../../../src/data/images/mixing/class-mix.js';
import { cutMix } from '../../../../src/data/images/mixing/mixup.js';
import { mosaic } from '../../../../src/data/images/mixing/mosaic.js';

const WRONG: readonly (readonly [make: () => unknown, says: RegExp])[] = [
  [() => perspective({ scale: 1 }), /^perspective: expected scale to be a number from 0 to 0.99, got 1$/],
  [
    () => elasticTransform({ grid: 1 }),
    /elasticTransform: expected grid to be an integer from 2 to 64, got 1/,
  ],
  [() => elasticTransform({ deviation: Number.NaN }), /deviation to be a number from 0 up, got NaN/],
  [
    () => gridDistortion({ cells: 2.5 }),
    /gridDistortion: expected cells to be an integer from 1 up, got 2.5/,
  ],
  [
    () => scaleJitter({ scale: [2, 1] }),
    /scaleJitter: expected scale to be two numbers above 0 and at most 16, the lower one first, got \[2,1\]/,
  ],
  [() => scaleJitter({ scale: [0, 1] }), /scale to be two numbers above 0/],
  [() => randomCrop({ padding: -0.1 }), /padding to be a number from 0 to 1, got -0.1/],
  [
    () => randomErasing({ ratio: [0, 1] }),
    /ratio to be two numbers above 0, the lower one first, got \[0,1\]/,
  ],
  [
    () => randomBrightness({ limit: -1 }),
    /randomBrightness: expected limit to be a number from 0 up, got -1/,
  ],
  [
    () => posterize({ bits: [4, 9] }),
    /bits to be two integers from 0 to 8, the lower one first, got \[4,9\]/,
  ],
  [() => solarize({ threshold: [0, 300] }), /threshold to be two numbers from 0 to 256/],
  [() => clahe({ clip: [0.5, 2] }), /clip to be two numbers from 1 up/],
  [() => hueSaturationValue({ hue: 2 }), /hue to be a number from 0 to 1, got 2/],
  [() => randAugment({ magnitude: 31 }), /magnitude to be a number from 0 to 30, got 31/],
  [() => cutMix({ alpha: 0 }), /cutMix: expected alpha to be a number above 0, got 0/],
  [() => mosaic({ centre: [0.7, 0.3] }), /centre to be two numbers from 0 to 1, the lower one first/],
  [() => copyPaste({ background: 255 }), /background to be an integer from 0 to 254, got 255/],
  [
    () => augment(horizontalFlip({ p: 50 })),
    /augment: expected the p of horizontalFlip to be a number from 0 to 1, got 50/,
  ],
  [() => sequential([horizontalFlip({ p: -1 })]), /sequential: expected the p of horizontalFlip to be/],
  [
    () => sequential([], { p: 2 }),
    /sequential: expected the p of sequential to be a number from 0 to 1, got 2/,
  ],
  [
    () => mixSamples([cutMix({ p: 2 })], [], (plans$) => plans$ as never),
    /mixSamples: expected the p of cutMix/,
  ],
];

describe('settings of augmentations and mixers', () => {
  for (const [make, says] of WRONG)
    it(`are refused by name: ${String(make).replace('() => ', '')}`, () =>
      assert.throws(make, (error: Error) => error.name === 'UserError' && says.test(error.message)));
});
