// Predicts pictures that have no masks or labels, from any folder, with a trained run of either task.
//
//   node recipes/predict.js --model-dir models/localized_lora_42_1 --image-dir photos --output-dir predictions
//   node recipes/predict.js --model-dir models/pets --image-dir photos --adapter day=adapters/day,night=adapters/night
//   npx millrace predict --model-dir models/breeds_42_1 --image-dir photos --output-dir labels

import { join } from 'node:path';
import { findImages, useEngine } from 'millrace';
import {
  adapterName,
  adapterPathsFlag,
  engineFlags,
  engineOf,
  isClassification,
  LABEL_FILES,
  oneRun,
  oneRunFlags,
  openOutput,
  overwriteFlag,
  predictionFiles,
  predictRun,
  recipe,
  withAdapters,
} from 'millrace/recipe';
import { concat } from 'rxjs';
import { z } from 'zod';

recipe({
  description:
    'Predicts pictures without masks or labels: masks and overlays at their own sizes, or labels with probabilities.',
  flags: {
    Model: { ...oneRunFlags, adapter: adapterPathsFlag },
    Pictures: {
      imageDir: z.string().min(1).describe('folder of pictures, searched to the bottom'),
      outputDir: z
        .string()
        .min(1)
        .default('predictions')
        .describe('folder of masks/*.png and overlays/*.jpg, or of predictions.csv and predictions.jsonl'),
      overlays: z.boolean().default(true).describe('also write the classes over the picture'),
      overwrite: overwriteFlag,
    },
    Engine: {
      batchSize: z.int().min(1).default(4).describe('pictures per batch, held at their own sizes'),
      ...engineFlags,
    },
  },
  run: async (config) => {
    const run = await oneRun(config.modelDir, config);
    const images = await findImages(config.imageDir);
    const runs = withAdapters([run], config);
    // Several adapters have a folder each.
    const jobs = runs.map((one) => ({
      run: one,
      outputDir: runs.length > 1 ? join(config.outputDir, adapterName(one)) : config.outputDir,
    }));
    const masks = images.flatMap((image) => predictionFiles(image).slice(0, config.overlays ? 2 : 1));
    for (const { outputDir } of jobs)
      openOutput(outputDir, isClassification(run) ? LABEL_FILES : masks, config);
    await useEngine(...engineOf(config));
    return concat(...jobs.map((job) => predictRun(job.run, images, { ...config, outputDir: job.outputDir })));
  },
});
