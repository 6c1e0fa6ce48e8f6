import { z } from 'zod';
import { adapterKind, adapters } from '../adapters/adapters.js';
import { type LateFlags, nameIn } from '../cli/flag.js';
import type { Peek } from '../cli/peek.js';
import { METRICS } from '../tasks/segmentation/metrics/metric.js';
import { studyFlags } from './study-flags.js';
import { dataFlags, engineFlags, modelFlags, nameFlag, runFlags, trainingFlags } from './training-flags.js';

const { cache, cacheDir, ahead } = runFlags;
const { lr: _lr, lrVitBackbone: _vit, lrSegHead: _head, weightDecay: _decay, ...others } = trainingFlags;
const { freezeEpochs: _freeze, ...training } = others;
const loraType = nameIn(adapters).default('lora').describe('the adapter');

const study = {
  loraType,
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
};

/** The flags of a search for an adapter's hyperparameters: all of a training's except those that are searched. */
export function searchFlags(peek: Peek) {
  return {
    Study: study,
    Data: dataFlags,
    Model: modelFlags,
    Adapter: unsearched(peek({ loraType }).loraType),
    Training: { ...training, epochs: z.int().min(1).default(10).describe('passes over the training split') },
    Run: { ...engineFlags, ahead, cache, cacheDir },
  };
}

/** The flags of an adapter that a search leaves as they are given; `adapterOf` finds them in the settings. */
function unsearched(name: string): LateFlags {
  const { flags, search = {} } = adapterKind(name);
  return Object.fromEntries(Object.entries(flags).filter(([key]) => key !== 'loraType' && !(key in search)));
}
