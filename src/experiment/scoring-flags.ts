import { z } from 'zod';
import { engineFlags } from './training-flags.js';

/** Which trained models are read. */
export const checkpointFlags = {
  modelDir: z.string().min(1).default('models').describe('a folder of runs, one run, or one checkpoint'),
  checkpoint: z.enum(['best', 'last']).default('best').describe("which of a run's checkpoints"),
  modelName: z
    .string()
    .min(1)
    .optional()
    .describe("the runs' pretrained model; default: where they found it"),
  runName: z.array(z.string().min(1)).default([]).describe('only these runs'),
  loraType: z
    .array(z.string().min(1))
    .default([])
    .describe('only runs with these adapters, or head or full; each must be there'),
  randomSeed: z.array(z.int().min(0)).default([]).describe('only runs of these seeds; each must be there'),
  dataPercentage: z
    .array(z.number().gt(0).max(1))
    .default([])
    .describe('only runs on these shares of the pairs; each must be there'),
};

/** What trained models are shown. */
export const domainFlags = {
  testDomains: z
    .array(z.enum(['in_domain', 'out_domain']))
    .min(1)
    .default(['in_domain', 'out_domain'])
    .describe("in_domain = the test split of the run's own seed and percentage; out_domain = each style"),
  imageDir: z.string().optional().describe("the run's images; default: where it found them"),
  maskDir: z.string().optional().describe("the run's masks; default: where it found them"),
  styleDir: z
    .string()
    .optional()
    .describe('holds <style>/images and <style>/masks; default: the styles of the embedded pictures'),
  style: z.array(z.string().min(1)).default([]).describe('only these styles; default: all that are there'),
};

/** What is written, and over what. */
export const overwriteFlag = z.boolean().default(false).describe('replace the files of an earlier one');

/** How trained models are run. */
export const scoringFlags = {
  batchSize: z
    .int()
    .min(1)
    .optional()
    .describe('images in a batch, of which soft scores are means; default: as in training'),
  ...engineFlags,
};

/** What upstream's command lines say of an adapter, which its checkpoint knows: see `checkAdapters`. */
export const adapterCheckFlags = {
  rank: z.int().min(1).optional().describe('only checked: the rank that the runs were trained with'),
  alpha: z.number().gt(0).optional().describe('only checked: their alpha'),
  rBlock: z.int().min(1).optional().describe('only checked: their rank of a block'),
  numBlocksPerRow: z.int().min(1).optional().describe('only checked: their K'),
};
