import { z } from 'zod';
import { nameIn } from '../cli/flag.js';
import { labelLosses } from '../tasks/classification/losses/label-losses.js';
import { LABEL_METRICS } from '../tasks/classification/metrics/label-metrics.js';
import { dataFlags, normalizationFlags, pixelFlags } from './data-flags.js';
import { labelSourceFlags, splitByFlag } from './item-sources.js';
import { modelFlags, runFlags, trainingFlags } from './training-flags.js';

const { dataPercentage, randomSeed, shrink } = dataFlags;

/** Flags of labelled pictures and their split. */
export const labelledDataFlags = {
  dataset: dataFlags.dataset,
  imageDir: z.string().min(1).optional().describe('folder with a sub-folder of images for each class'),
  labels: z
    .string()
    .min(1)
    .optional()
    .describe('CSV file of file,label in place of --image-dir; default: the embedded pictures'),
  ...labelSourceFlags,
  ...pixelFlags,
  dataPercentage: dataPercentage.describe('share of the pictures to use'),
  randomSeed,
  split: z
    .enum(['stratified', 'upstream', 'hash'])
    .default('stratified')
    .describe(
      "stratified = 70/20/10 of each class; upstream = CPython's shuffle of all, 70/20/10; hash = each picture by its own name, stable under added files",
    ),
  splitBy: splitByFlag,
  fold: dataFlags.fold,
  shrink,
};

/** Flags of the classifier: backbone, head and trainable parameters. */
export const classifierFlags = {
  modelName: modelFlags.modelName,
  imageSize: modelFlags.imageSize,
  ...normalizationFlags,
  head: z
    .enum(['new', 'keep'])
    .default('new')
    .describe("initial weights of the classifier: new = random, keep = the pretrained model's own"),
  mode: modelFlags.mode,
};

const { loss: _loss, ohem: _ohem, metric: _metric, ...shared } = trainingFlags;

/** Flags of the training of a classifier. */
export const classifierTrainingFlags = {
  ...shared,
  loss: nameIn(labelLosses).default('cross-entropy').describe('loss to minimise'),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('label smoothing: share of the target spread evenly over all classes'),
  lrSegHead: trainingFlags.lrSegHead.describe("learning rate of the head; named as the other recipes' flag"),
  metric: z
    .enum(LABEL_METRICS)
    .default('accuracy')
    .describe('the validation score of --patience, --schedule plateau and the best checkpoint'),
  topK: z.int().min(1).default(5).describe('number of guesses that top-k accuracy allows'),
};

/** Flags of the run of a classifier. */
export const classifierRunFlags = {
  ...runFlags,
  runName: runFlags.runName.describe('name of the run; default: classifier_{lora_type}_{seed}_{percentage}'),
  logDir: runFlags.logDir.describe('folder of logs, <run>/: events, metrics.csv, summary, TensorBoard file'),
};
