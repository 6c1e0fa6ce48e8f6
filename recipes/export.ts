// Exports a trained run: merged weights for transformers, the adapter alone for PEFT, or the whole model as ONNX.
//
//   node recipes/export.js --model-dir models/localized_lora_42_1 --format onnx --output-dir exports/pets
//   node recipes/export.js --model-dir models/pets --adapter birds=adapters/birds --combine run:0.7,birds:0.3
//   npx millrace export --model-dir models/breeds_42_1 --format hf --push-to me/breeds

import { join } from 'node:path';
import { readCheckpointInfo, useEngine } from 'millrace';
import {
  adapterPathsFlag,
  combineFlags,
  EXPORT_FORMATS,
  engineFlags,
  engineOf,
  exportFiles,
  exportModel,
  loadTrained,
  modelCard,
  oneRun,
  oneRunFlags,
  openOutput,
  overwriteFlag,
  packageVersion,
  printable,
  pushFlags,
  pushTo,
  recipe,
  summaryOf,
  withOneAdapter,
} from 'millrace/recipe';
import { z } from 'zod';

recipe({
  description: 'Exports a trained model with a card: for transformers, for PEFT, or as ONNX.',
  flags: {
    Model: { ...oneRunFlags, adapter: adapterPathsFlag, ...combineFlags },
    Export: {
      format: z
        .enum(EXPORT_FORMATS)
        .default('hf')
        .describe(
          'hf = merged safetensors for transformers; adapter = for PEFT; onnx = the whole model, for onnxruntime and transformers.js',
        ),
      outputDir: z
        .string()
        .min(1)
        .optional()
        .describe('folder of the export; default: exports/<run>-<format>'),
      logDir: z.string().min(1).default('logs').describe("folder of the run's logs, for the card's scores"),
      overwrite: overwriteFlag,
      ...pushFlags,
    },
    Engine: engineFlags,
  },
  run: async (config) => {
    const { format, pushTo: target } = config;
    const run = withOneAdapter(await oneRun(config.modelDir, config), config);
    const { outputDir = join('exports', `${run.name}-${format}`) } = config;
    const files = exportFiles(format, run);
    const push = target === undefined ? undefined : await pushTo(target, { isPrivate: config.private });
    openOutput(outputDir, files, config);
    await useEngine(...engineOf(config));
    const info = await readCheckpointInfo(run.path);
    const summary = await summaryOf(run, info, config.logDir);
    const model = await loadTrained(run);
    try {
      await exportModel(outputDir, format, { run, model }, (usage) =>
        modelCard({ run, info, summary, version: packageVersion(), usage }),
      );
    } finally {
      model.dispose();
    }
    for (const file of files) process.stdout.write(printable(`${join(outputDir, file)}\n`));
    if (push) process.stdout.write(printable(`${await push(outputDir, files, `Upload ${run.name}`)}\n`));
  },
});
