import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Parameters } from '../engine/parameters.js';
import { safetensorsBytes } from '../files/safetensors.js';
import type { VitConfig } from './config.js';
import { toTorchLayout } from './layout.js';
import { backboneShapes } from './vit.js';

/** What Hugging Face's ViTModel calls our tensors; the inverse of `canonicalNames`. */
const HUGGING_FACE: readonly (readonly [RegExp, string])[] = [
  [/^cls$/, 'embeddings.cls_token'],
  [/^positions$/, 'embeddings.position_embeddings'],
  [/^patch\./, 'embeddings.patch_embeddings.projection.'],
  [/^norm\./, 'layernorm.'],
  [/^layers\./, 'encoder.layer.'],
  [/\.(query|key|value)\./, '.attention.attention.$1.'],
  [/\.output\./, '.attention.output.dense.'],
  [/\.fc1\./, '.intermediate.dense.'],
  [/\.fc2\./, '.output.dense.'],
  [/\.norm1\./, '.layernorm_before.'],
  [/\.norm2\./, '.layernorm_after.'],
];

/**
 * Writes a backbone into an existing folder as transformers does, config.json and model.safetensors with PyTorch's
 * layouts, so that `readPretrained`, and Python, can read it.
 */
export async function saveBackbone(
  folder: string,
  config: VitConfig,
  parameters: Parameters,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, shape] of backboneShapes(config)) {
    const hf = HUGGING_FACE.reduce((text, [pattern, to]) => text.replace(pattern, to), name);
    const data = (await parameters.get(name).data()) as Float32Array;
    tensors.set(hf, { shape, data: toTorchLayout(data, shape) });
  }
  const file = { architectures: ['ViTModel'], model_type: 'vit', ...config, qkv_bias: true };
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(file, null, 1)}\n`);
  await writeFile(join(folder, 'model.safetensors'), safetensorsBytes(tensors, metadata));
}
