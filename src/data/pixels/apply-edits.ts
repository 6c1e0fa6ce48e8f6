import { warp } from './affine.js';
import { equalizedByTile } from './clahe.js';
import { type Colours, luma, toByte } from './colours.js';
import type { ColourEdit, Edit } from './edit.js';
import { contrast, saturation, sharpness } from './enhanced.js';
import { autoContrasted, equalized } from './equalized.js';
import { shiftHsv } from './hsv.js';
import { moved } from './moved.js';
import { addNoise } from './noise.js';
import { placed } from './placed.js';
import { copied, type Values } from './values.js';

/** The values of a picture and the bytes of its mask. */
export interface Bytes {
  readonly width: number;
  readonly height: number;
  readonly image: Values;
  readonly mask?: Uint8Array | undefined;
}

/**
 * Carries out edits in order. What it is given stays as it was; the image of the result is new memory, and so is its mask
 * where an edit moved it.
 */
export function applyEdits(bytes: Bytes, edits: readonly Edit[]): Bytes {
  let result = bytes;
  for (const edit of edits) {
    if (edit.kind === 'warp') result = { ...result, ...warp(withMask(result), edit.map) };
    else if (edit.kind === 'moves') result = { ...result, ...moved(withMask(result), edit.maps) };
    else if (edit.kind === 'place') result = { ...result, ...placed(result, edit) };
    else {
      if (result.image === bytes.image) result = { ...result, image: copied(bytes.image) };
      applyColourEdit(colours(result), edit);
    }
  }
  return result.image === bytes.image ? { ...result, image: copied(bytes.image) } : result;
}

/** A picture of RGB bytes. @throws for 16 bits, whose colours nothing changes: see `checkAugmentations`. */
function colours({ width, height, image }: Bytes): Colours {
  if (!(image instanceof Uint8Array))
    throw new Error('an edit of colours needs RGB bytes, got 16-bit values');
  return { width, height, image };
}

function withMask({ mask, ...picture }: Bytes): Omit<Bytes, 'mask'> & { readonly mask?: Uint8Array } {
  return { ...picture, ...(mask && { mask }) };
}

/** Carries out an edit of colours, in place. */
export function applyColourEdit(picture: Colours, edit: ColourEdit): void {
  (apply[edit.kind] as (picture: Colours, edit: ColourEdit) => void)(picture, edit);
}

const apply: {
  readonly [K in ColourEdit['kind']]: (picture: Colours, edit: Extract<ColourEdit, { kind: K }>) => void;
} = {
  map: ({ image }, { matrix, lift }) => mapColours(image, matrix, lift * meanLuma(image)),
  table: ({ image }, { table }) => {
    for (let i = 0; i < image.length; i++) image[i] = table[image[i]!]!;
  },
  grey: ({ image }) => {
    for (let i = 0; i < image.length; i += 3) image.fill(Math.round(luma(image, i)), i, i + 3);
  },
  blur: ({ width, height, image }, { kernel }) => {
    const across = new Float32Array(image.length);
    for (let y = 0; y < height; y++) convolve(image, across, kernel, y * width * 3, 3, width);
    const down = new Float32Array(image.length);
    for (let x = 0; x < width; x++) convolve(across, down, kernel, x * 3, width * 3, height);
    for (let i = 0; i < image.length; i++) image[i] = down[i]! + 0.5;
  },
  contrast: (picture, { factor }) => contrast(picture, factor),
  saturation: (picture, { factor }) => saturation(picture, factor),
  sharpness: (picture, { factor }) => sharpness(picture, factor),
  autocontrast: ({ image }) => autoContrasted(image),
  equalize: ({ image }) => equalized(image),
  clahe: (picture, { clip, tiles }) => equalizedByTile(picture, clip, tiles),
  hsv: shiftHsv,
  noise: ({ image }, { deviation, seed }) => addNoise(image, deviation, seed),
  squares: ({ width, image }, { squares, value }) => {
    for (const [left, top, side] of squares)
      for (let y = top; y < top + side; y++)
        image.fill(value, (y * width + left) * 3, (y * width + left + side) * 3);
  },
};

/** The mean luma, from the whole sums of the channels, which are the same in whatever order they are added up. */
function meanLuma(image: Uint8Array): number {
  const sums: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < image.length; i += 3) {
    sums[0] += image[i]!;
    sums[1] += image[i + 1]!;
    sums[2] += image[i + 2]!;
  }
  return luma(sums, 0) / (image.length / 3);
}

/** v → `map`·v + `offset`, for each pixel; `map` is 3 × 3, row by row. */
function mapColours(image: Uint8Array, map: readonly number[], offset: number): void {
  const [rr = 0, rg = 0, rb = 0, gr = 0, gg = 0, gb = 0, br = 0, bg = 0, bb = 0] = map;
  for (let i = 0; i < image.length; i += 3) {
    const r = image[i]!;
    const g = image[i + 1]!;
    const b = image[i + 2]!;
    image[i] = toByte(rr * r + rg * g + rb * b + offset);
    image[i + 1] = toByte(gr * r + gg * g + gb * b + offset);
    image[i + 2] = toByte(br * r + bg * g + bb * b + offset);
  }
}

/** One line of `length` RGB pixels that lie `stride` apart; its ends are continued outwards. */
function convolve(
  from: Uint8Array | Float32Array,
  to: Float32Array,
  kernel: Float32Array,
  start: number,
  stride: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    const at = start + i * stride;
    for (let c = 0; c < 3; c++) to[at + c] = kernel[0]! * from[at + c]!;
    for (let d = 1; d < kernel.length; d++) {
      const before = start + Math.max(0, i - d) * stride;
      const after = start + Math.min(length - 1, i + d) * stride;
      const weight = kernel[d]!;
      for (let c = 0; c < 3; c++) to[at + c]! += weight * (from[before + c]! + from[after + c]!);
    }
  }
}
