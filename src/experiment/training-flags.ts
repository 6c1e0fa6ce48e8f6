import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { fixture } from '../base/fixture.js';
import { nameIn, unique } from '../cli/flag.js';
import { augmentations } from '../data/images/augmentations/augmentations.js';
import { PRESETS_ABOUT } from '../data/images/augmentations/presets.js';
import { mixers } from '../data/images/mixing/mixers.js';
import { engines } from '../engine/engine.js';
import { PRECISIONS } from '../engine/numbers/precision.js';
import { loggers } from '../loggers/loggers.js';
import { DEFAULT_HEAD, heads } from '../model/heads/heads.js';
import { losses } from '../tasks/segmentation/losses/losses.js';
import { MOST_CLASSES } from '../tasks/segmentation/mask-ids.js';
import { METRICS } from '../tasks/segmentation/metrics/metric.js';
import { optimizers } from '../train/optimizers/optimizers.js';
import { schedules } from '../train/schedules/schedules.js';
import { imageSizeFlag } from './image-size-flag.js';

/** Flags of the data: pictures, masks and the split. */
export const dataFlags = {
  imageDir: z
    .string()
    .min(1)
    .default(fixture('creatures', 'plain', 'images'))
    .describe('folder of images'),
  maskDir: z
    .string()
    .min(1)
    .default(fixture('creatures', 'plain', 'masks'))
    .describe('folder of masks'),
  list: z
    .array(z.string().min(1))
    .default([])
    .describe('list files that select pairs, such as trainval.txt,test.txt'),
  maskIds: unique(z.array(z.int().min(0).max(65535)).min(2), 'id')
    .refine(
      (ids) => ids.length <= MOST_CLASSES,
      `expected at most ${MOST_CLASSES} ids, since 255 marks ignored pixels`,
    )
    .default([1, 2, 3])
    .describe('the ids that masks store, in the order of the classes'),
  classNames: unique(z.array(z.string().min(1)), 'name')
    .optional()
    .describe(
      'names of the classes in plots, in the order of --mask-ids; default: pet,background,border for 1,2,3, else the ids',
    ),
  dataPercentage: z.number().gt(0).max(1).default(1).describe('share of the pairs to use'),
  randomSeed: z
    .int()
    .min(0)
    .default(42)
    .describe('seeds subset, split, shuffle, augmentation and initial weights'),
  split: z
    .enum(['upstream', 'hash'])
    .default('upstream')
    .describe(
      "upstream = CPython's shuffle, 70/20/10; hash = each pair by its own name, stable under added files",
    ),
  shrink: z
    .enum(['all', 'keep-test'])
    .default('all')
    .describe('splits that --data-percentage shrinks: all, or all but the test split'),
};

/**
 * The names of the classes of these masks, in the order of their ids.
 *
 * @throws UserError where there is not one name for each id.
 */
export function classNamesOf({
  maskIds,
  classNames,
}: {
  readonly maskIds: readonly number[];
  readonly classNames?: readonly string[] | undefined;
}): readonly string[] {
  const names =
    classNames ?? (maskIds.join() === '1,2,3' ? ['pet', 'background', 'border'] : maskIds.map(String));
  if (names.length === maskIds.length) return names;
  throw new UserError(
    `--class-names: expected a name for each of --mask-ids ${maskIds.join()}, got ${names.join()}`,
    { classNames },
  );
}

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
  head: nameIn(heads).optional().describe(`the segmentation head; default: ${DEFAULT_HEAD}`),
  batchNorm: z.boolean().default(false).describe('BatchNorm in the segmentation head'),
  headDropout: z.number().min(0).lt(1).default(0).describe('Dropout2d in the segmentation head'),
  mode: z
    .enum(['adapters', 'head', 'full'])
    .default('adapters')
    .describe('trainable parameters: adapters and head, the head alone, or all weights without adapter'),
};

/** Flags of the training: duration, learning rate, loss and metric. */
export const trainingFlags = {
  epochs: z.int().min(1).default(8).describe('passes over the training split'),
  freezeEpochs: z
    .int()
    .min(1)
    .optional()
    .describe('first epochs, in which only the head is trainable; default: none'),
  batchSize: z.int().min(1).default(8).describe('images per batch'),
  loss: nameIn(losses).default('log-cosh-dice').describe('loss to minimise'),
  optimizer: nameIn(optimizers)
    .default('adamw')
    .describe('optimizer; adam adds weight decay to the gradient, adamw decouples it'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('momentum of sgd'),
  schedule: nameIn(schedules).default('trapezoid').describe('learning rate schedule'),
  lr: z.number().gt(0).default(2e-3).describe('learning rate of all trainable parameters'),
  separateLr: z.boolean().default(false).describe('use --lr-vit-backbone and --lr-seg-head in place of --lr'),
  lrVitBackbone: z.number().gt(0).default(1e-3).describe('learning rate of adapters and backbone'),
  lrSegHead: z.number().gt(0).default(1e-2).describe('learning rate of the segmentation head'),
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
  augment: z
    .array(nameIn(augmentations))
    .default([])
    .describe(`augmentations of the training images, in order; presets: ${PRESETS_ABOUT}; default: none`),
  mix: z
    .array(nameIn(mixers))
    .optional()
    .describe(
      'ways to mix other training images into each, in order: cutmix and mosaic for all images, mixup for labelled ones, classmix and copy-paste for masks; default: none',
    ),
};

/** Flags of the engine. */
export const engineFlags = {
  engine: nameIn(engines, ['auto'])
    .default('auto')
    .describe('tensor engine; auto = the fastest one installed'),
  precision: z
    .enum(PRECISIONS)
    .optional()
    .describe(
      "precision of matrix products; default: bf16 on onednn where this processor multiplies it faster, else f32; tf32 is torch's",
    ),
  threads: z.int().min(1).optional().describe('threads of the engine; default: all available cores'),
  device: z
    .union([nameIn(engines, ['cpu', 'cuda', 'mps', 'xpu', 'auto']), z.string().regex(/^(cuda|xpu):\d+$/)])
    .optional()
    .describe(
      'device: cpu = the processor; cuda, cuda:1, mps, xpu = a card on the torch engine; or the name of an engine; default: the best available',
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
  logger: z.array(nameIn(loggers)).optional().describe('additional loggers, besides those of the package'),
  plotDir: z.string().min(1).default('plots').describe('folder of plots, <run>/*.png and *.svg'),
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
  cacheDir: z.string().min(1).default('.cache/millrace').describe('folder of --cache disk'),
};
