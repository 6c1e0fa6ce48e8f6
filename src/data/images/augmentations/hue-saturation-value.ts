import { around, type Chance, recolour, type Transform } from './augmentation.js';
import { checkSettings, SHARE } from './check-settings.js';

/** Options of `hueSaturationValue`. */
export interface HueSaturationValueOptions extends Chance {
  /** Largest turn of the hues either way, as a share of the colour circle. Default .05. */
  readonly hue?: number;
  /** Largest shift of the saturation, which is from 0 to 1, either way. Default .12. */
  readonly saturation?: number;
  /** Largest shift of the value, which is from 0 to 1, either way. Default .08. */
  readonly value?: number;
}

/**
 * Shifts hue, saturation and value of all pixels (HSV; Smith 1978), each by one draw a picture. Default p .5. With all
 * limits 0 nothing changes.
 */
export function hueSaturationValue(options: HueSaturationValueOptions = {}): Transform {
  const { hue = 0.05, saturation = 0.12, value = 0.08, p = 0.5 } = options;
  checkSettings('hueSaturationValue', {
    hue: [hue, SHARE],
    saturation: [saturation, SHARE],
    value: [value, SHARE],
  });
  return recolour('hueSaturationValue', p, (random) => ({
    kind: 'hsv',
    turn: around(random, hue),
    saturation: around(random, saturation),
    value: around(random, value),
  }));
}
