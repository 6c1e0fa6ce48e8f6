import { saveVit } from '../../model/vit/save-backbone.js';
import { torchTensors } from '../../model/vit/torch-tensors.js';
import { labelFields } from '../label-fields.js';
import type { Classifier } from './classifier.js';

/**
 * Writes a classifier into an existing folder as transformers' ViTForImageClassification, or the like of another
 * encoder (`saveBackbone`): config.json with the names of the classes, preprocessor_config.json and model.safetensors. `loadClassifier(folder, { head: 'keep' })` reads it, too.
 *
 * @throws UserError for a model with an adapter that is not merged, and for an encoder without such a class (CLIP, DINOv3).
 * @example
 * const classifier = await loadClassifier(fixture('vit-creatures'), { classes: 2, seed: 42 });
 * classifier.merge();
 * await saveClassifier('exports/breeds', classifier, ['beagle', 'pug']);
 */
export async function saveClassifier(
  folder: string,
  model: Classifier,
  labels: readonly string[],
): Promise<void> {
  const { config, parameters, normalization } = model;
  model.checkPlain('saveClassifier');
  const head = await torchTensors(parameters, model.headPlaces());
  await saveVit(folder, {
    config,
    parameters,
    normalization,
    classifier: { weight: head.get('weight')!, bias: head.get('bias')! },
    fields: labelFields(labels),
    metadata: { format: 'pt' },
  });
}
