import { UserError } from '../../base/errors.js';
import { type Size, sizeText } from '../../data/images/image-size.js';

/** Refuses a size of pictures that patches do not fill, and names the nearest that they do. */
export function checkImageSize(size: Size, patch: number): void {
  const { width, height } = size;
  if (width % patch === 0 && height % patch === 0) return;
  const fitting = (round: (patches: number) => number) => {
    const side = (length: number) => patch * Math.max(1, round(length / patch));
    return sizeText({ width: side(width), height: side(height) });
  };
  const nearest = [...new Set([fitting(Math.floor), fitting(Math.ceil)])];
  const expected = width === height ? 'a multiple' : 'width and height to be multiples';
  throw new UserError(
    `image size: expected ${expected} of the patch size ${patch}, got ${sizeText(size)}; the nearest ${nearest.length > 1 ? 'are' : 'is'} ${nearest.join(' and ')}: see --image-size`,
    { imageSize: size },
  );
}
