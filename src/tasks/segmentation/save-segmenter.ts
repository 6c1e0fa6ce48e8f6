import { join } from 'node:path';
import { writeFileAtomic } from '../../files/atomic.js';
import { safetensorsBytes } from '../../files/safetensors-format.js';
import { saveVit } from '../../model/vit/save-backbone.js';
import { torchTensors } from '../../model/vit/torch-tensors.js';
import { labelFields } from '../label-fields.js';
import type { Segmenter } from './segmenter.js';

/**
 * Writes a segmenter into an existing folder: its ViT as a model of transformers (`saveBackbone`: config.json with the names of the
 * classes, preprocessor_config.json, model.safetensors), and its head, for which transformers has no class, as
 * head.safetensors under PyTorch's names: `conv`, `norm`, `classify` of the head `study`.
 *
 * @throws UserError for a model with an adapter that is not merged.
 * @example
 * model.merge();
 * await saveSegmenter('exports/pets', model, ['pet', 'background', 'border']);
 */
export async function saveSegmenter(
  folder: string,
  model: Segmenter,
  labels: readonly string[],
): Promise<void> {
  const { config, parameters, normalization } = model;
  model.checkPlain('saveSegmenter');
  const metadata = { format: 'pt' };
  await saveVit(folder, { config, parameters, normalization, metadata, fields: labelFields(labels) });
  const head = await torchTensors(parameters, model.headPlaces());
  await writeFileAtomic(join(folder, 'head.safetensors'), safetensorsBytes(head, metadata));
}
