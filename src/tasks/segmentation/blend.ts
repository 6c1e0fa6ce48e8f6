import { luma } from '../../data/pixels/colours.js';
import { IGNORE_INDEX } from '../../data/types.js';
import { classColour } from './class-colours.js';

/** Red, green and blue of a class's colour: of `colours`, or the class's own. */
export function classRgb(
  id: number,
  colours: readonly string[] = [],
): [red: number, green: number, blue: number] {
  const hex = colours[id] ?? classColour(id);
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
}

/**
 * Lays the classes' colours half transparent over a picture in grey, so that a colour is always a class; ignored pixels
 * stay grey. RGB bytes and class ids, row by row. `own` are colours in place of `classColour`'s.
 */
export function blend(image: Uint8Array, ids: Uint8Array, own?: readonly string[]): Uint8Array {
  const colours = Array.from({ length: IGNORE_INDEX }, (_, id) => classRgb(id, own));
  const result = new Uint8Array(image.length);
  for (let pixel = 0, at = 0; pixel < ids.length; pixel++, at += 3) {
    const grey = luma(image, at);
    const id = ids[pixel]!;
    if (id === IGNORE_INDEX) result.fill(grey, at, at + 3);
    else {
      const colour = colours[id]!;
      for (let c = 0; c < 3; c++) result[at + c] = Math.round(0.5 * grey + 0.5 * colour[c]!);
    }
  }
  return result;
}
