import { join } from 'node:path';
import { writeFileAtomic } from '../../files/atomic.js';
import { maskPng } from './mask-png.js';
import type { Prediction } from './overlays.js';
import type { Palette } from './palette.js';

/**
 * Writes each prediction by itself, as `<title>_{input,target,prediction}.png`: the input in colour, target and prediction
 * as masks of the ids that the data set's masks store, or in the colours of its `palette`. Without a target there is no such
 * file.
 */
export async function writePredictions(
  folder: string,
  rows: readonly Prediction[],
  ids: readonly number[],
  palette?: Palette,
): Promise<void> {
  const { encode } = await import('fast-png');
  for (const { title, width, height, image, target, prediction } of rows) {
    const wide = ids.some((id) => id > 255);
    const stored = (classes: Uint8Array) =>
      wide ? Uint16Array.from(classes, (k) => ids[k] ?? k) : Uint8Array.from(classes, (k) => ids[k] ?? k);
    const mask = (classes: Uint8Array) => maskPng({ width, height, data: stored(classes) }, palette);
    const pictures = {
      input: encode({ width, height, data: image, depth: 8, channels: 3 }),
      ...(target && { target: await mask(target) }),
      prediction: await mask(prediction),
    };
    for (const [part, png] of Object.entries(pictures))
      await writeFileAtomic(join(folder, `${title}_${part}.png`), png);
  }
}
