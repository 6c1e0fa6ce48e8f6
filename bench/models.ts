import type { StoredTensor } from '../src/files/safetensors-format.js';
import { backboneShapes } from '../src/model/vit/backbone-shapes.js';
import { type VitConfig, vitConfig } from '../src/model/vit/config.js';
import { type Segmenter, type SegmenterOptions, segmenterOf } from '../src/tasks/segmentation/segmenter.js';
import { type AdapterName, injectAdapter } from './adapters.js';
import { noise } from './noise.js';

export const MODELS = ['vit-base', 'deit-tiny'] as const;
export type ModelName = (typeof MODELS)[number];

/** Classes of the segmentation head. */
export const CLASSES = 3;

export function configOf(model: ModelName): VitConfig {
  if (model === 'vit-base') return vitConfig.parse({});
  return vitConfig.parse({
    hidden_size: 192,
    num_attention_heads: 3,
    intermediate_size: 768,
    layer_norm_eps: 1e-6,
  });
}

/**
 * The segmenter that a training run would have, on a backbone of random weights: none is zero, as zeros would be
 * multiplied no slower but could be skipped. Default: the head `study` on pictures of 224 x 224.
 */
export function randomSegmenter(
  model: ModelName,
  adapter: AdapterName,
  options: Pick<SegmenterOptions, 'name' | 'imageSize'> = {},
): Segmenter {
  const config = configOf(model);
  const weights = new Map<string, StoredTensor>();
  for (const [name, shape] of backboneShapes(config)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const gain = /norm\d?\.weight$/.test(name) ? 1 : 0;
    weights.set(name, { dtype: 'F32', shape, data: noise(size, 0.02, weights.size + 1, gain) });
  }
  const segmenter = segmenterOf({ path: model, config, weights }, { ...options, classes: CLASSES, seed: 1 });
  return injectAdapter(segmenter, adapter);
}
