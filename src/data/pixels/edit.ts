import type { Affine } from './affine.js';

/**
 * One change of a sample as plain data, drawn already: what native code and worker threads carry out without a call back.
 *
 * - `warp` moves image and mask by a map from output to input coordinates, as `Transform.geometric` gives it
 * - `map` is linear in the colours: `matrix` · v + `lift` × the picture's mean luma; 3 × 3, row by row
 * - `table` replaces each byte by its entry of 256
 * - `grey` replaces colours by their luma
 * - `blur` convolves by half a kernel, from its centre outwards; the whole sums to one
 * - `squares` paints squares of left, top and side, in pixels, with one value
 */
export type Edit = { readonly kind: 'warp'; readonly map: Affine } | ColourEdit;

/** An edit that leaves the mask alone. */
export type ColourEdit =
  | { readonly kind: 'map'; readonly matrix: readonly number[]; readonly lift: number }
  | { readonly kind: 'table'; readonly table: Uint8Array }
  | { readonly kind: 'grey' }
  | { readonly kind: 'blur'; readonly kernel: Float32Array }
  | {
      readonly kind: 'squares';
      readonly value: number;
      readonly squares: readonly (readonly [left: number, top: number, side: number])[];
    };
