import { join } from 'node:path';
import { writeFileAtomic } from '../../files/atomic.js';
import type { Prediction } from './overlays.js';

/**
 * Writes each prediction by itself, as `<title>_{input,target,prediction}.png`: the input in colour, target and prediction
 * as grey pictures of the ids that the data set's masks store. Without a target there is no such file.
 */
export async function writePredictions(
  folder: string,
  rows: readonly Prediction[],
  ids: readonly number[],
): Promise<void> {
  const { encode } = await import('fast-png');
  for (const { title, width, height, image, target, prediction } of rows) {
    const wide = ids.some((id) => id > 255);
    const grey = (classes: Uint8Array) => {
      const stored = Array.from(classes, (k) => ids[k] ?? k);
      return wide ? Uint16Array.from(stored) : Uint8Array.from(stored);
    };
    const pictures = { input: image, ...(target && { target: grey(target) }), prediction: grey(prediction) };
    for (const [part, data] of Object.entries(pictures)) {
      const depth = data instanceof Uint16Array ? 16 : 8;
      const png = encode({ width, height, data, depth, channels: part === 'input' ? 3 : 1 });
      await writeFileAtomic(join(folder, `${title}_${part}.png`), png);
    }
  }
}
