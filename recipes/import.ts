// Imports an adapter of PEFT, or of the original study, as a run: predict, inference and export take it, and a training
// recipe with --resume trains it on.
//
//   node recipes/import.js --adapter-dir adapters/pets --model-name google/vit-base-patch16-224 --run-name pets
//   node recipes/import.js --task classification --adapter-dir adapters/breeds --image-dir data/breeds
//   node recipes/import.js --adapter-dir lora.safetensors --alpha 16 --model-name google/vit-base-patch16-224

import { useEngine } from 'millrace';
import {
  adapterCommand,
  type Config,
  classificationSplits,
  classificationTask,
  classifierFlags,
  classifierRunFlags,
  classifierTrainingFlags,
  dataFlags,
  engineOf,
  headOf,
  labelledDataFlags,
  loadAdapter,
  loadBackbone,
  loadLabelBackbone,
  modelFlags,
  openRun,
  printable,
  recipe,
  runFlags,
  runNameOf,
  saveImported,
  segmentationSplits,
  segmentationTask,
  segmentationWeights,
  settingsOfAdapter,
  tiledSplits,
  trainingFlags,
} from 'millrace/recipe';
import { z } from 'zod';

const task = z
  .enum(['segmentation', 'classification'])
  .default('segmentation')
  .describe('what the model does');
const adapterFlags = {
  adapterDir: z
    .string()
    .min(1)
    .describe('folder of adapter_config.json, a hub id of one, or a .safetensors file of the original study'),
  alpha: z.number().gt(0).optional().describe("alpha of a study's file, which does not hold it"),
};
const Import = { task, ...adapterFlags };
// Nothing trains here that one could watch.
const { dashboard: _, ...importRunFlags } = runFlags;
const { dashboard: _too, ...classifierImportFlags } = classifierRunFlags;
const segmentation = {
  Import,
  Data: dataFlags,
  Model: modelFlags,
  Training: trainingFlags,
  Run: importRunFlags,
};
const classification = {
  Import,
  Data: labelledDataFlags,
  Model: classifierFlags,
  Training: classifierTrainingFlags,
  Run: classifierImportFlags,
};
recipe({
  description:
    'Imports an adapter of PEFT, or of the original study, as a run that every other recipe takes.',
  flags: (peek) =>
    (peek({ task }).task === 'classification' ? classification : segmentation) as typeof segmentation,
  run: async ({ task: name, adapterDir, alpha, ...rest }) => {
    const settings = { ...rest, mode: 'adapters' as const };
    await useEngine(...engineOf(settings));
    if (name === 'classification') await importClassifier(settings as never, { adapterDir, alpha });
    else await importSegmenter(settings, { adapterDir, alpha });
  },
});

type Source = Parameters<typeof loadAdapter>[1];
type Segmentation = Config<typeof segmentation>;
type Classification = Config<typeof classification>;

async function importSegmenter(
  asked: Omit<Segmentation, 'task' | keyof Source>,
  from: Source,
): Promise<void> {
  const whole = await segmentationSplits(asked);
  const splits = await tiledSplits(asked, whole);
  const model = await loadBackbone(asked);
  const loaded = model.sibling({ ...headOf(asked), seed: asked.randomSeed });
  const adapter = await loadAdapter(loaded, from);
  const settings = { ...asked, ...settingsOfAdapter(adapter) };
  const folders = await openRun(runNameOf(settings), settings);
  const weights = await segmentationWeights(settings, whole);
  const task = segmentationTask(settings, { splits, whole, model, weights });
  const path = await saveImported(settings, { task, folders }, loaded);
  say(path, 'train', folders.name, adapter);
  for (const one of [model, loaded]) one.dispose();
}

async function importClassifier(
  asked: Omit<Classification, 'task' | keyof Source>,
  from: Source,
): Promise<void> {
  const data = await classificationSplits(asked);
  const model = await loadLabelBackbone(asked, data);
  const loaded = model.sibling({ classes: data.classes.length, head: asked.head, seed: asked.randomSeed });
  const adapter = await loadAdapter(loaded, from);
  const settings = { ...asked, ...settingsOfAdapter(adapter) };
  const folders = await openRun(runNameOf(settings, 'classifier_'), settings);
  const task = classificationTask(settings, { ...data, model });
  const path = await saveImported(settings, { task, folders }, loaded);
  say(path, 'train-classifier', folders.name, adapter);
  for (const one of [model, loaded]) one.dispose();
}

function say(
  path: string,
  trainer: string,
  name: string,
  adapter: Parameters<typeof adapterCommand>[0],
): void {
  process.stdout.write(printable(`${path}\n`));
  const command = `node recipes/${trainer}.js ${adapterCommand(adapter)} --run-name ${name} --resume`;
  process.stderr.write(printable(`train it on, with the flags of this import: ${command}\n`));
}
