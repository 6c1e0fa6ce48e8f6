import { readPretrained } from '../../model/vit/pretrained.js';
import { type Segmenter, type SegmenterOptions, segmenterOf } from './segmenter.js';

/**
 * Loads a pretrained backbone (see `readPretrained`) under a new segmentation head; only the head is trainable.
 *
 * @example
 * const model = (await loadSegmenter('google/vit-base-patch16-224', { classes: 3, seed: 42 })).inject(lora({ rank: 16 }), 42);
 */
export async function loadSegmenter(name: string, options: SegmenterOptions): Promise<Segmenter> {
  return segmenterOf(await readPretrained(name), options);
}
