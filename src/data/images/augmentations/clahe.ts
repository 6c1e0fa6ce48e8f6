import { between, type Chance, type Range, recolour, type Transform } from './augmentation.js';
import { checkSettings } from './check-settings.js';

/** Options of `clahe`. */
export interface ClaheOptions extends Chance {
  /** How many times the mean count a value may have before the rest is spread over all. Default [1, 4]. */
  readonly clip?: Range;
  /** Columns and rows of tiles. Default 8. */
  readonly tiles?: number;
}

/**
 * Equalises the luma tile by tile with a limit on its contrast (CLAHE; Zuiderveld 1994, Graphics Gems IV); each pixel
 * blends the maps of the four tiles around it, and all three channels move by as much as the luma does. Default p .2.
 */
export function clahe({ clip = [1, 4], tiles = 8, p = 0.2 }: ClaheOptions = {}): Transform {
  checkSettings('clahe', {
    clip: [clip, { least: 1 }],
    tiles: [tiles, { least: 1, most: 255, whole: true }],
  });
  return recolour('clahe', p, (random) => ({ kind: 'clahe', clip: between(random, clip), tiles }));
}
