import { UserError } from '../base/errors.js';
import { isDeep, type Transform } from '../data/images/augmentations/augmentation.js';
import { mixers } from '../data/images/mixing/mixers.js';
import { deepFormat, type PixelFormat } from '../data/images/pixel-format.js';

/** How the pictures of a data set become numbers. */
export interface PixelSettings {
  readonly channels?: number | undefined;
  readonly range?: readonly number[] | undefined;
}

/** The pixel format of the settings. */
export function pixelFormatOf({ channels = 3, range }: PixelSettings): PixelFormat {
  return { channels, ...(range && { range: [range[0]!, range[1]!] as const }) };
}

/**
 * Refuses what needs RGB of 8 bits where pictures have other channels or a range: transforms of colours, mixers that are
 * not `deep`, and the faster decoding of JPEGs.
 *
 * @throws UserError naming the flag, and all transforms that are at fault.
 */
export function checkDeepSettings(
  settings: PixelSettings & {
    readonly mix?: readonly string[] | undefined;
    readonly decode?: string | undefined;
  },
  changes: readonly Transform[],
  names: readonly string[],
): void {
  const { channels, range, mix = [], decode } = settings;
  if (!deepFormat(pixelFormatOf(settings))) return;
  const why = range ? `--range ${range.join()}` : `--channels ${channels}`;
  const fail = (flag: string, expected: string, got: readonly string[]) => {
    throw new UserError(`${flag}: expected ${expected} with ${why}, got ${got.join()}`, { channels, range });
  };
  const colours = names.filter((_, i) => !isDeep(changes[i]!));
  if (colours.length > 0)
    fail(
      '--augment',
      'augmentations that move or hide pixels (flip, rotate, crop, scale-jitter, erase, …)',
      colours,
    );
  const shallow = mix.filter((name) => !mixers.make(name).deep);
  if (shallow.length > 0) fail('--mix', 'mixers that say they take any channels (deep)', shallow);
  if (decode === 'fast') fail('--decode', 'exact', [decode]);
}
