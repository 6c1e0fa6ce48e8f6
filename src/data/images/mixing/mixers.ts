import { named } from '../../../base/named.js';
import { classMix, copyPaste } from './class-mix.js';
import type { Mixer } from './mixer.js';
import { cutMix, mixup } from './mixup.js';
import { mosaic } from './mosaic.js';

const TABLE = {
  mixup,
  cutmix: cutMix,
  classmix: classMix,
  'copy-paste': copyPaste,
  mosaic,
} satisfies Record<string, () => Mixer>;

/**
 * The mixers by name, each with its default settings.
 *
 * @example
 * mixers.register('big-mosaic', () => mosaic({ centre: [0.45, 0.55] }));
 */
export const mixers = named<keyof typeof TABLE, () => Mixer>('mixer', TABLE);
