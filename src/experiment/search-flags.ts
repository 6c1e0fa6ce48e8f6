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

/**
 * The flags of a search for an adapter's hyperparameters: all of a training's except those that are searched.
 */
export const searchFlags = {
  Study: {
    loraType: z.enum(['lora', 'serial_lora', 'localized_lora']).default('lora').describe('the adapter'),
    studyName: nameFlag.optional().describe('name of the study; default: {lora_type}'),
    optimizeFor: z
      .enum(METRICS)
      .default('softDice')
      .describe(
        "score to optimize, of the last epoch's validation, named as by --metric; upstream's dice is softDice",
      ),
    backboneFrozen: z
      .boolean()
      .default(false)
      .describe('train only the head, without an adapter; with --freeze-epochs, for those epochs'),
    freezeEpochs: z
      .array(z.int().min(1))
      .min(1)
      .optional()
      .describe('candidates for --freeze-epochs to search over; upstream: 2,5,10'),
    ...studyFlags,
    outputDir: z
      .string()
      .min(1)
      .default('results/hyperparam-optim')
      .describe('folder of <study>/best.yaml and plots'),
  },
  Data: dataFlags,
  Model: modelFlags,
  Adapter: {
    ...adapter,
    targets: adapterFlags.targets
      .unwrap()
      .optional()
      .describe("linear maps to adapt; default: the adapter's own"),
  },
  Training: { ...training, epochs: z.int().min(1).default(10).describe('passes over the training split') },
  Run: { ...engineFlags, ahead, cache, cacheDir },
};
