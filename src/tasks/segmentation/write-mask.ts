import { loadSharp } from '../../base/sharp.js';
import { writeFileAtomic } from '../../files/atomic.js';
import { blend, classRgb } from './blend.js';
import type { Prediction } from './overlays.js';

/**
 * Writes the predicted classes as a PNG with a palette: pixels are the ids that the data set's masks store, class k as
 * `ids[k]`, and a viewer shows each in its class's colour. `findPairs` and PIL read the ids back.
 *
 * Ids above 255 make it a 16-bit grey picture, since a palette has 256 colours.
 *
 * @param colours a colour for each class, as `#rrggbb`, such as `classColours` gives; default: distinct ones
 */
export async function writeMask(
  path: string,
  { width, height, prediction }: Pick<Prediction, 'width' | 'height' | 'prediction'>,
  ids: readonly number[],
  colours?: readonly string[],
): Promise<void> {
  const { encode } = await import('fast-png');
  const largest = Math.max(...ids);
  if (largest > 255) {
    const data = Uint16Array.from(prediction, (k) => ids[k] ?? k);
    return writeFileAtomic(path, encode({ width, height, data, depth: 16, channels: 1 }));
  }
  const palette: number[][] = Array.from({ length: largest + 1 }, () => [0, 0, 0]);
  ids.forEach((id, k) => {
    palette[id] = classRgb(k, colours);
  });
  const data = prediction.map((k) => ids[k] ?? k);
  await writeFileAtomic(path, encode({ width, height, data, depth: 8, channels: 1, palette }));
}

/** Writes the classes' colours half transparent over the picture in grey, as JPEG; `colours` as `writeMask` has them. */
export async function writeOverlay(
  path: string,
  row: Prediction,
  colours?: readonly string[],
): Promise<void> {
  const { width, height, image, prediction } = row;
  const sharp = loadSharp();
  const blended = sharp(blend(image, prediction, colours), { raw: { width, height, channels: 3 } });
  await writeFileAtomic(path, await blended.jpeg({ quality: 90, chromaSubsampling: '4:4:4' }).toBuffer());
}
