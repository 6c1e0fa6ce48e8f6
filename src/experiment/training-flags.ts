import { z } from 'zod';
import { fixture } from '../base/fixture.js';
import { type Defaults, nameIn, readUnless } from '../cli/flag.js';
import { augmentations } from '../data/images/augmentations/augmentations.js';
import { PRESETS_ABOUT } from '../data/images/augmentations/presets.js';
import { mixers } from '../data/images/mixing/mixers.js';
import { loggers } from '../loggers/loggers.js';
import { DEFAULT_HEAD, heads } from '../model/heads/heads.js';
import { METRICS } from '../tasks/segmentation/metrics/metric.js';
import { optimizers } from '../train/optimizers/optimizers.js';
import { schedules } from '../train/schedules/schedules.js';
import { balanceFlag } from './balance.js';
import { classWeightsFlag } from './class-weights.js';
import { dashboardFlag } from './dashboard-flag.js';
import { normalizationFlags } from './data-flags.js';
import { engineFlags } from './engine-flags.js';
import { imageSizeFlag } from './image-size-flag.js';
import { segmentationLossFlags } from './segmentation-loss.js';

/** Flags of the model: backbone, head and trainable parameters. */
export const modelFlags = {
  modelName: z
    .string()
    .min(1)
    .default(fixture('vit-creatures'))
    .describe(
      'pretrained ViT: a folder, a .safetensors file or a hub id such as google/vit-base-patch16-224',
    ),
  imageSize: imageSizeFlag
    .optional()
    .describe(
      "size of the resized images, multiples of the patch size: width x height, or the side of a square; default: the model's own",
    ),
  ...normalizationFlags,
  head: nameIn(heads)
    .optional()
    .meta({
      // By the pixels alone its queries learn far less: see RESULTS.md.
      defaults: ((head) => ({
        from: `--head ${String(head)}`,
        values: head === 'mask' ? { loss: 'set' } : {},
      })) satisfies Defaults,
      description: `the segmentation head, see docs/heads.md; default: ${DEFAULT_HEAD}`,
    }),
  batchNorm: z.boolean().default(false).describe(`BatchNorm in the segmentation head ${DEFAULT_HEAD}`),
  headDropout: z.number().min(0).lt(1).default(0).describe('Dropout2d in the segmentation head'),
  mode: z
    .enum(['adapters', 'head', 'full'])
    .default('adapters')
    .describe('trainable parameters: adapters and head, the head alone, or all weights without adapter'),
};

const WITHOUT_SEPARATE = '--lr is the rate of all parameters; see --separate-lr';

/** Flags of the training: duration, learning rate, loss and metric. */
export const trainingFlags = {
  epochs: z.int().min(1).default(8).describe('passes over the training split'),
  freezeEpochs: readUnless(
    z.int().min(1).optional().describe('first epochs, in which only the head is trainable; default: none'),
    ({ mode }) => (mode === 'head' ? '--mode head trains the head alone throughout' : undefined),
  ),
  batchSize: z.int().min(1).default(8).describe('images per batch'),
  ...segmentationLossFlags,
  classWeights: classWeightsFlag,
  balance: balanceFlag,
  optimizer: nameIn(optimizers)
    .default('adamw')
    .describe('optimizer; adam adds weight decay to the gradient, adamw decouples it'),
  momentum: readUnless(z.number().min(0).lt(1).default(0.9).describe('momentum of sgd'), ({ optimizer }) =>
    /^adamw?$/.test(String(optimizer)) ? `${optimizer} has no momentum` : undefined,
  ),
  schedule: nameIn(schedules).default('trapezoid').describe('learning rate schedule'),
  lr: readUnless(
    z.number().gt(0).default(2e-3).describe('learning rate of all trainable parameters'),
    ({ separateLr, tuneLr }) =>
      separateLr ? '--separate-lr replaces it' : tuneLr ? '--tune-lr replaces it' : undefined,
  ),
  separateLr: z.boolean().default(false).describe('use --lr-vit-backbone and --lr-seg-head in place of --lr'),
  lrVitBackbone: readUnless(
    z.number().gt(0).default(1e-3).describe('learning rate of adapters and backbone'),
    ({ separateLr, mode }) =>
      !separateLr ? WITHOUT_SEPARATE : mode === 'head' ? '--mode head trains the head alone' : undefined,
  ),
  lrSegHead: readUnless(
    z.number().gt(0).default(1e-2).describe('learning rate of the segmentation head'),
    ({ separateLr }) => (separateLr ? undefined : WITHOUT_SEPARATE),
  ),
  layerDecay: readUnless(
    z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe(
        "layer-wise decay of the learning rate, such as 0.75: each block's rate is this share of the next one's, as timm counts them; default: one rate",
      ),
    ({ mode }) => (mode === 'head' ? '--mode head trains the head alone' : undefined),
  ),
  dropPath: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe(
      'stochastic depth: rate at which pictures skip the branches of the last block, falling to 0 in the first; default: none',
    ),
  checkpointBlocks: z
    .boolean()
    .default(false)
    .describe(
      'gradient checkpointing: compute each block once more for its gradient instead of keeping what it computed; less memory, the same gradients',
    ),
  weightDecay: z.number().min(0).default(1e-4).describe('weight decay'),
  accumulate: z
    .int()
    .min(1)
    .default(1)
    .describe(
      'batches per optimizer step, whose gradients are averaged; a Dice loss is computed for each batch',
    ),
  clip: z.number().gt(0).optional().describe('maximum global norm of the gradients; default: no clipping'),
  ema: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe('decay of a moving average of the weights, such as 0.99; the averaged weights are scored'),
  patience: z
    .int()
    .min(1)
    .optional()
    .describe('validations without a better score before the run stops; default: never stop'),
  metric: z
    .enum(METRICS)
    .default('softDice')
    .describe(
      "the validation score of --patience, --schedule plateau and the best checkpoint: softDice and softIou are upstream's, of probabilities, weighting rare classes most; dice, iou (= miou) and accuracy use the predicted classes",
    ),
  guard: z
    .boolean()
    .default(true)
    .describe('stop with exit code 1 when the loss is NaN or explodes, or the score collapses'),
  decode: z
    .enum(['exact', 'fast'])
    .optional()
    .describe(
      "how JPEGs are decoded: exact gives PIL's bytes; fast decodes large pictures at a smaller scale; default: exact",
    ),
  augment: z
    .array(nameIn(augmentations))
    .default([])
    .describe(
      `augmentations of the training images, in order; presets: ${PRESETS_ABOUT}; rand and trivial = RandAugment and TrivialAugment; default: none`,
    ),
  scales: z
    .array(z.number().gt(0).max(16))
    .min(1)
    .optional()
    .describe(
      'factors of --image-size, one of which each training batch has, at random; sides are rounded to patches, and each scale is cached by itself; default: no scaling',
    ),
  mix: z
    .array(nameIn(mixers))
    .optional()
    .describe(
      'ways to mix other training images into each, in order: cutmix and mosaic for all images, mixup for labelled ones, classmix and copy-paste for masks; default: none',
    ),
  views: z
    .int()
    .min(1)
    .optional()
    .describe(
      'augmented views of each training image, which take turns by epoch; default: a new one in each epoch, and 4 with --trunk-cache',
    ),
  trunkCache: z
    .enum(['memory', 'disk'])
    .optional()
    .describe(
      'cache of the output of the blocks below the lowest that trains, in bf16, so that later epochs start above them; for --layers with upper blocks alone, or --mode head; default: none',
    ),
};

/** The name of a folder or a study; a leading dot is refused. */
export const nameFlag = z
  .string()
  .refine(
    (name) => /^[\w-][\w.-]{0,199}$/.test(name),
    'expected a name of at most 200 letters, digits, "_", "-" and ".", the first of them no "."',
  );

/** Flags of the run: engine, name, folders, checkpoints and caches. */
export const runFlags = {
  ...engineFlags,
  runName: nameFlag.optional().describe('name of the run; default: {lora_type}_{seed}_{percentage}'),
  outDir: z.string().min(1).default('models').describe('folder of checkpoints, <run>/step-*'),
  logDir: z
    .string()
    .min(1)
    .default('logs')
    .describe(
      'folder of logs, <run>/: events, metrics.csv (val_dice and val_iou are softDice and softIou, val_miou is miou), summary, TensorBoard file',
    ),
  logger: z
    .array(nameIn(loggers))
    .optional()
    .describe('additional loggers, besides those that write into the folders below'),
  dashboard: dashboardFlag,
  plotDir: z.string().min(1).default('plots').describe('folder of plots, <run>/*.png and *.svg'),
  pictures: z
    .int()
    .min(0)
    .max(16)
    .default(4)
    .describe('validation samples that are drawn after each epoch, in <log-dir>/<run>/pictures; 0 = none'),
  histograms: z
    .boolean()
    .default(false)
    .describe(
      'record after each epoch how the trained weights are distributed, for trackers such as TensorBoard',
    ),
  resume: z
    .boolean()
    .default(false)
    .describe("continue from the run's last checkpoint, even within an epoch"),
  overwrite: z.boolean().default(false).describe('replace an earlier run of the same name'),
  checkpointEvery: z
    .union([z.literal('epoch'), z.int().min(1)])
    .default('epoch')
    .describe('when to save a checkpoint: after each epoch, or every N batches'),
  keep: z.int().min(1).default(3).describe('number of newest checkpoints to keep, besides the best one'),
  ahead: z.int().min(0).default(2).describe('batches to load ahead'),
  cache: z
    .enum(['memory', 'disk', 'none'])
    .default('memory')
    .describe('cache of decoded images for later epochs'),
  cacheDir: readUnless(
    z.string().min(1).default('.cache/millrace').describe('folder of --cache disk and --trunk-cache disk'),
    ({ cache, trunkCache }) =>
      cache === 'disk' || trunkCache === 'disk' ? undefined : `--cache ${String(cache)} has no folder`,
  ),
  cacheGib: z
    .number()
    .gt(0)
    .optional()
    .describe('the most that the cache keeps, in GiB; default: 1 in memory, 32 on disk'),
  trunkCacheGib: readUnless(
    z.number().gt(0).optional().describe('the same of --trunk-cache'),
    ({ trunkCache }) => (trunkCache === undefined ? 'there is no --trunk-cache' : undefined),
  ),
};
