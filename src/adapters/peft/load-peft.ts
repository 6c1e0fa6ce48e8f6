import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../../files/json-file.js';
import { readSafetensors } from '../../files/safetensors.js';
import type { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import { PEFT_FILES } from './peft-files.js';
import { putPeft } from './put-peft.js';

/**
 * Loads an adapter that PEFT or `savePeft` wrote into a model without one, and the head if the folder has one.
 *
 * Which maps it changes is read off its tensors, by the names of either spelling of transformers (or both), whatever
 * attribute holds the ViT. What is on a `classifier` or a `pooler` is left out: it touches no token.
 *
 * @throws UserError naming the file, for what is missing, foreign, or does not fit; the model is then unchanged.
 * @example
 * const model = await loadPeft(await loadSegmenter('google/vit-base-patch16-224', { classes: 3, seed: 42 }), 'adapters/pets');
 */
export async function loadPeft<M extends AdaptableVit>(model: M, folder: string): Promise<M> {
  const [config, weights, head] = [PEFT_FILES.config, PEFT_FILES.weights, PEFT_FILES.head].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const json = await readJson(config);
  const hasHead = (await stat(head).catch(() => undefined)) !== undefined;
  return putPeft(model, {
    config: { path: config, json },
    weights: async () => ({ path: weights, tensors: (await readSafetensors(weights)).tensors }),
    head: async () => (hasHead ? { path: head, tensors: (await readSafetensors(head)).tensors } : undefined),
  });
}
