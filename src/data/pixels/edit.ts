import type { Affine } from './affine.js';
import type { DataMove } from './moved.js';
import type { Placement } from './placed.js';

/**
 * One change of a sample as plain data, drawn already: what native code and worker threads carry out without a call back.
 *
 * - `warp` moves image and mask by a map from output to input coordinates, as `Transform.geometric` gives it
 * - `moves` moves them by several such maps, of which not all are affine, the first one first, interpolating once
 * - `place` resizes them and puts them at a place: the image as Pillow's bilinear filter does, the mask to the nearest
 * - `map` is linear in the colours: `matrix` · v + `lift` × the picture's mean luma; 3 × 3, row by row
 * - `table` replaces each byte by its entry of 256
 * - `grey` replaces colours by their luma
 * - `blur` convolves by half a kernel, from its centre outwards; the whole sums to one
 * - `contrast`, `saturation` and `sharpness` enhance by a factor, as Pillow's `ImageEnhance` does
 * - `autocontrast` and `equalize` are those of Pillow's `ImageOps`
 * - `clahe` equalises the luma tile by tile, with a limit of so many times the mean count
 * - `hsv` turns the hues, and shifts saturation and value
 * - `noise` adds normal noise of a deviation, from a seed of 32 bits
 * - `squares` paints squares of left, top and side, in pixels, with one value
 */
export type Edit = MoveEdit | ColourEdit;

/** An edit that moves image and mask. */
export type MoveEdit =
  | { readonly kind: 'warp'; readonly map: Affine }
  | { readonly kind: 'moves'; readonly maps: readonly DataMove[] }
  | ({ readonly kind: 'place' } & Placement);

/** Whether an edit moves image and mask. */
export function isMove(edit: Edit): edit is MoveEdit {
  return edit.kind === 'warp' || edit.kind === 'moves' || edit.kind === 'place';
}

/** The edits that enhance by a factor: 1 leaves all as it is, 0 removes what the name says. */
export type Enhancement = 'contrast' | 'saturation' | 'sharpness';

/** An edit that leaves the mask alone. */
export type ColourEdit =
  | { readonly kind: 'map'; readonly matrix: readonly number[]; readonly lift: number }
  | { readonly kind: 'table'; readonly table: Uint8Array }
  | { readonly kind: 'grey' }
  | { readonly kind: 'blur'; readonly kernel: Float32Array }
  | { readonly kind: Enhancement; readonly factor: number }
  | { readonly kind: 'autocontrast' | 'equalize' }
  | { readonly kind: 'clahe'; readonly clip: number; readonly tiles: number }
  | { readonly kind: 'hsv'; readonly turn: number; readonly saturation: number; readonly value: number }
  | { readonly kind: 'noise'; readonly deviation: number; readonly seed: number }
  | {
      readonly kind: 'squares';
      readonly value: number;
      readonly squares: readonly (readonly [left: number, top: number, side: number])[];
    };
