import type { Random } from '../../../random/random-stream.js';

/** How strong a corruption is: 1 is slight, 5 is severe. */
export type Severity = 1 | 2 | 3 | 4 | 5;

/** A decoded picture: RGB bytes and the mask's stored ids, both row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly image: Uint8Array;
  readonly mask: Uint8Array;
}

/**
 * Changes a picture as a camera, the weather or a transmission might; all randomness comes from `random`. What moves
 * pixels moves the mask with them. Lengths scale with the shorter side: they are given for 224 pixels.
 */
export type Corruption = (picture: Picture, severity: Severity, random: Random) => Picture | Promise<Picture>;

/** The five values of a setting, by severity. */
export type Scale = readonly [number, number, number, number, number];

/** A corruption of each channel value, from 0 to 1, by itself. */
export function perValue(
  scale: Scale,
  change: (value: number, amount: number, random: Random) => number,
): Corruption {
  return (picture, severity, random) => {
    const amount = scale[severity - 1]!;
    return withImage(picture, (image, out) => {
      for (let i = 0; i < image.length; i++) out[i] = change(image[i]! / 255, amount, random) * 255;
    });
  };
}

/**
 * A corruption of each pixel's colour, from 0 to 1, by itself; `draw` decides once a picture what is done.
 */
export function perPixel(
  scale: Scale,
  draw: (
    amount: number,
    random: Random,
    picture: Picture,
  ) => (rgb: readonly [number, number, number], x: number, y: number) => readonly [number, number, number],
): Corruption {
  return (picture, severity, random) => {
    const change = draw(scale[severity - 1]!, random, picture);
    return withImage(picture, (image, out) => {
      for (let at = 0; at < image.length / 3; at++) {
        const rgb = [image[at * 3]! / 255, image[at * 3 + 1]! / 255, image[at * 3 + 2]! / 255] as const;
        const changed = change(rgb, at % picture.width, Math.floor(at / picture.width));
        for (let c = 0; c < 3; c++) out[at * 3 + c] = changed[c]! * 255;
      }
    });
  };
}

/** The same picture with another image; what `draw` leaves in `out` is rounded and clamped to bytes. */
export function withImage(picture: Picture, draw: (image: Uint8Array, out: Float32Array) => void): Picture {
  const out = new Float32Array(picture.image.length);
  draw(picture.image, out);
  // Uint8ClampedArray rounds half to even and clamps.
  return { ...picture, image: new Uint8Array(Uint8ClampedArray.from(out).buffer) };
}

/** Converts a length for a picture of 224 pixels to pixels of this one. */
export function pixels(length: number, { width, height }: Picture): number {
  return (length * Math.min(width, height)) / 224;
}
