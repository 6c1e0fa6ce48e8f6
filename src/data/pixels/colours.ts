/** RGB bytes, row by row, that may be changed in place. */
export interface Colours {
  readonly width: number;
  readonly height: number;
  readonly image: Uint8Array;
}

/** Weights of red, green and blue in a pixel's luma (ITU-R BT.601, as PIL's `convert('L')`). */
export const LUMA = [0.299, 0.587, 0.114] as const;

/** The luma of the RGB pixel whose red lies at `at`. */
export function luma(image: Uint8Array | readonly number[], at: number): number {
  return LUMA[0] * image[at]! + LUMA[1] * image[at + 1]! + LUMA[2] * image[at + 2]!;
}

/** Rounded and clamped to a byte. */
export function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.round(value);
}

/** The luma of the RGB pixel whose red lies at `at`, as a byte: in the fixed point of PIL's `convert('L')`. */
export function grey(image: Uint8Array, at: number): number {
  return (19595 * image[at]! + 38470 * image[at + 1]! + 7471 * image[at + 2]! + 0x8000) >> 16;
}
