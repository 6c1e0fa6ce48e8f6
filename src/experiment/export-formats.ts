import { readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { savePeft } from '../adapters/peft/save-peft.js';
import { deepFormat } from '../data/images/pixel-format.js';
import { writeFileAtomic } from '../files/atomic.js';
import { makeFolder } from '../files/make-folder.js';
import { preprocessorConfig } from '../model/vit/save-backbone.js';
import { saveOnnx } from '../model/vit/save-onnx.js';
import { Classifier } from '../tasks/classification/classifier.js';
import { saveClassifier } from '../tasks/classification/save-classifier.js';
import { labelFields } from '../tasks/label-fields.js';
import { saveSegmenter } from '../tasks/segmentation/save-segmenter.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import { deepUsage } from './deep-usage.js';
import { CARD, MODEL, type Usage, usageOf } from './export-usage.js';
import { pixelFormatOf } from './pixel-format-of.js';
import { isClassification, type TrainedRun } from './trained-runs.js';

/** A trained model on its way out. */
export interface Exported {
  readonly run: TrainedRun;
  /** With its weights, its adapter merged where that is possible. */
  readonly model: Segmenter | Classifier;
}

/** One way to export a model. */
interface Format {
  /** The files that it writes, in the folder. */
  files(run: TrainedRun): readonly string[];
  write(dir: string, exported: Exported): Promise<void>;
  /** How the card says to load it. */
  readonly usage: Usage;
}

const json = (value: object) => `${JSON.stringify(value, null, 1)}\n`;

/** The formats that a trained model can be exported to, by name. */
export const EXPORTS = {
  hf: {
    files: (run) => [
      'config.json',
      'preprocessor_config.json',
      'model.safetensors',
      ...(isClassification(run) ? [] : ['head.safetensors']),
    ],
    write: async (dir, { run, model }) => {
      const { classNames } = run.settings;
      if (model instanceof Classifier) await saveClassifier(dir, model, classNames);
      else await saveSegmenter(dir, model, classNames);
    },
    usage: usageOf.hf,
  },
  adapter: {
    files: () => ['adapter_config.json', 'adapter_model.safetensors', 'head.safetensors'],
    write: async (dir, { run, model }) => {
      model.unmerge();
      // PEFT's files are written as a folder of their own, which here has a card and a lock.
      const part = join(dir, '.adapter');
      await savePeft(model, part, { attribute: '', baseModel: run.settings.model.modelName });
      for (const name of await readdir(part)) await rename(join(part, name), join(dir, name));
      await rmdir(part);
    },
    usage: usageOf.adapter,
  },
  onnx: {
    files: () => ['config.json', 'preprocessor_config.json', MODEL],
    write: async (dir, { run, model }) => {
      const { settings } = run;
      const architecture = isClassification(run) ? 'ViTForImageClassification' : 'ViTModel';
      const config = { architectures: [architecture], model_type: 'vit', ...model.config };
      await writeFileAtomic(
        join(dir, 'config.json'),
        json({ ...config, ...labelFields(settings.classNames) }),
      );
      const preprocessor = preprocessorConfig(model.imageSize, model.normalization);
      await writeFileAtomic(join(dir, 'preprocessor_config.json'), json(preprocessor));
      await saveOnnx(join(dir, MODEL), model, {
        metadata: {
          classes: JSON.stringify(settings.classNames),
          ...('maskIds' in settings && { mask_ids: JSON.stringify(settings.maskIds) }),
          image_mean: JSON.stringify(model.normalization.mean),
          image_std: JSON.stringify(model.normalization.std),
        },
      });
    },
    usage: usageOf.onnx,
  },
} satisfies Readonly<Record<string, Format>>;

/** The name of a format. */
export type ExportFormat = keyof typeof EXPORTS;

/** The names of the formats. */
export const EXPORT_FORMATS = Object.keys(EXPORTS) as ExportFormat[];

/** The files that an export writes, its card included. */
export function exportFiles(format: ExportFormat, run: TrainedRun): readonly string[] {
  return [...EXPORTS[format].files(run), CARD];
}

/**
 * Writes a trained model in one of the formats into a folder, with its card.
 *
 * @throws UserError for an adapter that cannot be merged or that PEFT does not have, and for what ONNX cannot hold.
 */
export async function exportModel(
  dir: string,
  format: ExportFormat,
  exported: Exported,
  card: (usage: string) => string,
): Promise<void> {
  makeFolder(dir);
  await EXPORTS[format].write(dir, exported);
  const { run, model } = exported;
  const deep = deepFormat(pixelFormatOf(run.settings));
  const usage = deep ? deepUsage(format, deep, model) : EXPORTS[format].usage(run, model);
  await writeFileAtomic(join(dir, CARD), card(usage));
}
