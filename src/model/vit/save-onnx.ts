import type { Tensor } from '@tensorflow/tfjs-core';
import { transpose } from '../../base/tfjs-core.js';
import { writeFileAtomic } from '../../files/atomic.js';
import type { AdaptableVit } from './adaptable-vit.js';

/** Options of `saveOnnx`. */
export interface SaveOnnxOptions {
  /** Texts for the file's metadata, such as the names of the classes. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a whole model, head and adapter included, as an ONNX file of opset 17 in f32: `pixel_values` [batch, channels,
 * height, width], normalised, → `logits`, [batch, classes] or [batch, classes, height, width]. The batch is free, the size of
 * the pictures is the model's.
 *
 * An adapter need not be merged, and a head may be a user's own: see `recordOnnx`. Nothing else may use the engine until
 * the promise is fulfilled.
 *
 * @throws UserError for an operation that has no counterpart in ONNX, and beyond 2 GiB.
 * @example
 * await saveOnnx('exports/pets/model.onnx', model, { metadata: { classes: '["pet","background","border"]' } });
 */
export async function saveOnnx(
  path: string,
  model: AdaptableVit,
  { metadata = {} }: SaveOnnxOptions = {},
): Promise<void> {
  const { recordOnnx } = await import('../../engine/onnx/record-onnx.js');
  const { width, height } = model.imageSize;
  const forward = (images: Tensor) => {
    const logits = model.forward(transpose(images, [0, 2, 3, 1]));
    return logits.rank === 4 ? transpose(logits, [0, 3, 1, 2]) : logits;
  };
  const bytes = await recordOnnx(forward, {
    shape: [model.config.num_channels, height, width],
    weights: model.parameters,
    metadata,
  });
  await writeFileAtomic(path, bytes);
}
