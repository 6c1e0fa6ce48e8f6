import { tensor4d, tidy } from '@tensorflow/tfjs-core';
import { loadPeft } from '../../src/adapters/peft/load-peft.js';
import { readImage } from '../../src/data/images/image-file.js';
import { resizeBilinear } from '../../src/data/images/resize.js';
import { classesAt } from '../../src/tasks/segmentation/classes-at.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';

/** What the page shows below a picture, computed here on the engine in use: the share of each of three classes in percent. */
export async function sharesInNode(backbone: string, adapter: string, picture: string): Promise<number[]> {
  const model = await loadPeft(await loadSegmenter(backbone, { classes: 3, seed: 1 }), adapter);
  const image = await readImage(picture);
  const { width, height } = model.imageSize;
  const { mean, std } = model.normalization;
  const values = Float32Array.from(
    resizeBilinear(image, width, height).data,
    (byte, i) => (byte / 255 - mean[i % 3]!) / std[i % 3]!,
  );
  const logits = tidy(
    () => model.forward(tensor4d(values, [1, height, width, 3])).dataSync() as Float32Array,
  );
  model.dispose();
  const ids = classesAt(logits, { rows: height, columns: width, classes: 3 }, image);
  return [0, 1, 2].map((id) => (100 * ids.filter((k) => k === id).length) / ids.length);
}
