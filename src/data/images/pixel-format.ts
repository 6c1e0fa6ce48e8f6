import { UserError } from '../../base/errors.js';

/**
 * How pictures become numbers where they are not RGB of 8 bits: samples then hold 16-bit values, `channels` of them a
 * pixel, of which 65535 is full scale.
 */
export interface PixelFormat {
  /** The bands, or pages, that each picture must have. */
  readonly channels: number;
  /**
   * The values that become 0 and full scale; what is beyond them is one of them. Default: 0 and the most that 8 or 16 bits
   * hold.
   */
  readonly range?: readonly [low: number, high: number] | undefined;
}

/** The most that a 16-bit value holds: full scale. */
export const FULL_SCALE = 65_535;

/** A format that is not the usual one, RGB of 8 bits; undefined for that. */
export function deepFormat(format: PixelFormat | undefined): PixelFormat | undefined {
  return format && (format.channels !== 3 || format.range) ? format : undefined;
}

/** What the bytes of samples depend on beside their size, for keys of caches: nothing for RGB of 8 bits. */
export function formatKey(format: PixelFormat | undefined): readonly string[] {
  const deep = deepFormat(format);
  return deep ? [`${deep.channels} channels of ${deep.range?.join() ?? 'all values'}`] : [];
}

/** Refuses a picture whose channels are others than the format's. `what` says where they are, such as `5 pages`. */
export function checkChannels(path: string, { channels }: PixelFormat, got: number, what?: string): void {
  if (got === channels) return;
  throw new UserError(
    `${path}: expected ${channels} ${channels === 1 ? 'channel' : 'channels'} (--channels ${channels}), got ${got}${what ? `, ${what}` : ''}; convert it, or give --channels ${got} for all pictures`,
    { path, channels, got },
  );
}
