import { IGNORE_INDEX } from '../types.js';
import { resizeNearest } from './resize.js';
import { resizeValues } from './resize-channels.js';
import { channelsOf, type Values, valuesLike } from './values.js';

/** Where a resized picture lies on the old one: its size, and its corner, which may be outside. */
export interface Placement {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

interface Masked {
  readonly width: number;
  readonly height: number;
  readonly image: Values;
  readonly mask?: Uint8Array | undefined;
}

/** Resizes a picture and puts it at a place, in new memory of the old size; black and 255 elsewhere. */
export function placed(picture: Masked, placement: Placement): Pick<Masked, 'image' | 'mask'> {
  const image = valuesLike(picture.image);
  const mask = picture.mask && new Uint8Array(picture.mask.length);
  place(picture, placement, image, mask);
  return { image, mask };
}

/** The same in place. */
export function placeInto(picture: Masked, placement: Placement): void {
  place(picture, placement, picture.image, picture.mask);
}

function place(picture: Masked, placement: Placement, image: Values, mask: Uint8Array | undefined): void {
  const { width, height } = picture;
  const large = resizeValues(picture, placement);
  image.fill(0);
  copyRows(large, image, picture, placement, channelsOf(picture));
  if (!mask || !picture.mask) return;
  const ids = resizeNearest({ width, height, data: picture.mask }, placement.width, placement.height);
  mask.fill(IGNORE_INDEX);
  copyRows(ids, mask, picture, placement, 1);
}

/** Copies what of a placed picture lies inside `to`. */
function copyRows(
  from: Values,
  to: Values,
  { width, height }: { readonly width: number; readonly height: number },
  place: Placement,
  channels: number,
): void {
  const [first, end] = [Math.max(0, place.left), Math.min(width, place.left + place.width)];
  if (first >= end) return;
  for (let y = Math.max(0, place.top); y < Math.min(height, place.top + place.height); y++) {
    const row = ((y - place.top) * place.width + first - place.left) * channels;
    to.set(from.subarray(row, row + (end - first) * channels), (y * width + first) * channels);
  }
}
