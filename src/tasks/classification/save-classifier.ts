import { saveVit } from '../../model/vit/save-backbone.js';
import { torchTensors } from '../../model/vit/torch-tensors.js';
import { labelFields } from '../label-fields.js';
import type { Classifier } from './classifier.js';

/**
 * Writes a classifier into an existing folder as transformers' ViTForImageClassification: config.json with the names of
 * the classes, preprocessor_config.json and model.safetensors. `loadClassifier(folder, { head: 'keep' })` reads it, too.
 *
 * @throws UserError for a model with an adapter that is not merged.
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
  const places = model.headPlaces().map((place) => ({ ...place, key: `classifier.${place.key}` }));
  await saveVit(folder, {
    config,
    parameters,
    normalization,
    architecture: 'ViTForImageClassification',
    attribute: 'vit',
    tensors: await torchTensors(parameters, places),
    fields: labelFields(labels),
    metadata: { format: 'pt' },
  });
}
