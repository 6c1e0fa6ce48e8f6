import { z } from 'zod';
import { METRICS } from '../tasks/segmentation/metrics/metric.js';
import { studyFlags } from './study-flags.js';
import {
  adapterFlags,
  dataFlags,
  engineFlags,
  modelFlags,
  nameFlag,
  runFlags,
  trainingFlags,
} from './training-flags.js';

const { cache, cacheDir, ahead } = runFlags;
const { lr: _lr, lrVitBackbone: _vit, lrSegHead: _head, weightDecay: _decay, ...others } = trainingFlags;
const { freezeEpochs: _freeze, ...training } = others;
const { alpha: _alpha, ...adapter } = adapterFlags;

/** The flags of a search for an adapter's hyperparameters: all of a training's but those that are searched. */
export const searchFlags = {
  Study: {
    loraType: z.enum(['lora', 'serial_lora', 'localized_lora']).default('lora').describe('the adapter'),
    studyName: nameFlag.optional().describe('default: {lora_type}'),
    optimizeFor: z
      .enum(METRICS)
      .default('softDice')
      .describe(
        "the score of the last epoch's validation, by the names of --metric; upstream's dice is softDice",
      ),
    backboneFrozen: z
      .boolean()
      .default(false)
      .describe('train the head alone, without an adapter; with --freeze-epochs, until these are over'),
    freezeEpochs: z
      .array(z.int().min(1))
      .min(1)
      .optional()
      .describe('search for how many epochs the head trains alone at first; upstream: 2,5,10'),
    ...studyFlags,
    outputDir: z
      .string()
      .min(1)
      .default('results/hyperparam-optim')
      .describe('gets <study>/best.yaml and plots'),
  },
  Data: dataFlags,
  Model: modelFlags,
  Adapter: {
    ...adapter,
    targets: adapterFlags.targets
      .unwrap()
      .optional()
      .describe("the linear maps that are adapted; default: the adapter's own"),
  },
  Training: { ...training, epochs: z.int().min(1).default(10).describe('passes over the training split') },
  Run: { ...engineFlags, ahead, cache, cacheDir },
};
