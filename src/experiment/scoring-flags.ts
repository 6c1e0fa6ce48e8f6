import { z } from 'zod';
import { readUnless, type WhyUnread } from '../cli/flag.js';
import { tileFlags } from './data-flags.js';
import { datasetFlag } from './dataset-file.js';
import { engineFlags } from './engine-flags.js';
import { imageSizeFlag } from './image-size-flag.js';

/** Flags that select trained runs. */
export const checkpointFlags = {
  modelDir: z.string().min(1).default('models').describe('folder of runs, of one run, or of one checkpoint'),
  checkpoint: z.enum(['best', 'last']).default('best').describe('checkpoint of each run'),
  modelName: z
    .string()
    .min(1)
    .optional()
    .describe('pretrained model of the runs; default: the recorded path'),
  runName: z.array(z.string().min(1)).default([]).describe('only these runs'),
  loraType: z
    .array(z.string().min(1))
    .default([])
    .describe('only runs with these adapters, or head or full; each must exist'),
  randomSeed: z.array(z.int().min(0)).default([]).describe('only runs of these seeds; each must exist'),
  dataPercentage: z
    .array(z.number().gt(0).max(1))
    .default([])
    .describe('only runs on these shares of the pairs; each must exist'),
};

const withoutStyles: WhyUnread = ({ testDomains }) =>
  Array.isArray(testDomains) && !testDomains.includes('out_domain')
    ? `--test-domains ${testDomains.join()} has no styles`
    : undefined;

/** Flags that choose the pictures. */
export const domainFlags = {
  testDomains: z
    .array(z.enum(['in_domain', 'out_domain', 'validation']))
    .min(1)
    .optional()
    .describe(
      "in_domain = the test split of the run's own seed and percentage, or its fold; out_domain = each style; validation = the validation split, for choices; default: the first two, in_domain alone for a run without styles",
    ),
  dataset: datasetFlag,
  imageDir: z.string().optional().describe('images of the run; default: the recorded path'),
  maskDir: z.string().optional().describe('masks of the run; default: the recorded path'),
  labels: z
    .string()
    .optional()
    .describe('list of a classification in place of --image-dir; default: the recorded path'),
  styleDir: readUnless(
    z
      .string()
      .optional()
      .describe(
        'folder of <style>/images and <style>/masks, or <style>/labels.csv; default: the embedded styles',
      ),
    withoutStyles,
  ),
  style: readUnless(
    z.array(z.string().min(1)).default([]).describe('only these styles; default: all'),
    withoutStyles,
  ),
};

/** Whether a recipe may replace files that an earlier run of it wrote. */
export const overwriteFlag = z
  .boolean()
  .default(false)
  .describe('replace the files of an earlier run of this recipe');

const atModelSize: WhyUnread = ({ resolution }) =>
  resolution !== 'model'
    ? undefined
    : '--resolution model scores at the size of the model; see --resolution own';

/** Flags of scoring segmentations at another resolution than the model's. */
export const resolutionFlags = {
  resolution: z
    .union([z.enum(['model', 'own']), imageSizeFlag])
    .default('model')
    .meta({
      expects: 'model, own, width x height or the side of a square',
      description:
        'size at which segmentations are scored: model = that of the model, as in training; own = that of each picture, with scores of contours and of calibration, and pictures.json for compare; a size such as 224 = the same of all pictures, resized to it as masks are',
    }),
  tiles: readUnless(
    imageSizeFlag.optional().meta({
      expects: 'width x height or the side of a square',
      description:
        'size of a window that slides over each picture, in its pixels; default: the tiles of the training, or whole pictures',
    }),
    atModelSize,
  ),
  tileOverlap: readUnless(tileFlags.tileOverlap, atModelSize),
  ttaFlip: readUnless(
    z.boolean().default(false).describe('average the probabilities of each picture and its mirror image'),
    atModelSize,
  ),
  ttaScales: readUnless(
    z
      .array(z.number().gt(0).max(16))
      .min(1)
      .default([1])
      .describe("multiples of the model's size, rounded to patches, whose probabilities are averaged"),
    atModelSize,
  ),
  tolerance: readUnless(
    z.number().min(0).max(100).default(2).describe('pixels by which outlines may differ in surface Dice'),
    atModelSize,
  ),
};

/** Flags of the scoring. */
export const scoringFlags = {
  batchSize: z
    .int()
    .min(1)
    .optional()
    .describe('images per batch; soft scores are averaged over batches; default: as in training'),
  ...engineFlags,
};

/** The adapter flags of upstream's command lines. The checkpoint knows them: see `checkAdapters`. */
export const adapterCheckFlags = {
  rank: z.int().min(1).optional().describe('check that the runs have this rank'),
  alpha: z.number().gt(0).optional().describe('check that the runs have this alpha'),
  rBlock: z.int().min(1).optional().describe('check that the runs have this block rank'),
  numBlocksPerRow: z.int().min(1).optional().describe('check that the runs have this K'),
};
