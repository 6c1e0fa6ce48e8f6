import { z } from 'zod';
import { adapterKind, adapters } from '../adapters/adapters.js';
import { type LateFlags, nameIn, readUnless } from '../cli/flag.js';
import type { Peek } from '../cli/peek.js';
import { loggers } from '../loggers/loggers.js';
import { adapterFlags } from './adapter-flags.js';
import { type dataFlags } from './data-flags.js';
import { engineFlags } from './engine-flags.js';
import { searchedTasks } from './searched-tasks.js';
import { studyFlags } from './study-flags.js';
import { type modelFlags, nameFlag, runFlags, trainingFlags } from './training-flags.js';

const { cache, cacheDir, cacheGib, ahead, dashboard } = runFlags;

const logger = z
  .array(nameIn(loggers))
  .optional()
  .describe(
    'loggers of the trials, with files in <output-dir>/<study>/trials/<number>; for mlflow, wandb and trackio they are runs of one study; default: none',
  );

/** The flags that say what a search is about: they decide on others. */
const about = {
  task: nameIn(searchedTasks).default('segmentation').describe('what the model learns'),
  loraType: nameIn(adapters).default('lora').describe('the adapter'),
};

/** What names a study; adapters are taken by any name, since a plugin may be what registers it. */
export const studyNaming = {
  task: about.task,
  loraType: z.string().default('lora'),
  studyName: z.string().optional(),
};

/** The name of a search's study: as given, or by the task and the adapter. */
export function studyNameOf({
  studyName,
  task,
  loraType,
}: z.output<z.ZodObject<typeof studyNaming>>): string {
  return studyName ?? `${searchedTasks.get(task).prefix}${loraType}`;
}

/** Flags of a training that a search chooses, or takes as candidates. */
const SEARCHED = ['lr', 'lrVitBackbone', 'lrSegHead', 'weightDecay', 'freezeEpochs'] as const;

/** The flags that every task has beside its own. */
type CommonTraining = Omit<typeof trainingFlags, 'loss' | 'metric' | 'epochs' | (typeof SEARCHED)[number]> & {
  metric: z.ZodType<string>;
};

const studied = {
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
  forks: z
    .boolean()
    .default(true)
    .describe(
      'train once what trials have in common (equal settings, later rates apart), and go on where a killed trial was',
    ),
  forkGib: readUnless(
    z.number().gt(0).default(4).describe('the most that is kept for --forks, until the search ends'),
    ({ forks }) => (forks === false ? '--no-forks keeps nothing' : undefined),
  ),
  outputDir: z
    .string()
    .min(1)
    .default('results/hyperparam-optim')
    .describe('folder of <study>/best.yaml and plots'),
};

/** The flags of a search for an adapter's hyperparameters: all of a training's except those that are searched. */
export function searchFlags(peek: Peek) {
  const { task, loraType } = peek(about);
  const { flags, metrics, metric, prefix } = searchedTasks.get(task);
  const training = Object.entries(flags.Training).filter(([key]) => !SEARCHED.some((name) => name === key));
  return {
    Study: {
      ...about,
      studyName: nameFlag.optional().describe(`name of the study; default: ${prefix}{lora_type}`),
      optimizeFor: z
        .enum(metrics)
        .default(metric)
        .describe("score to optimize, of the last epoch's validation, named as by --metric"),
      ...studied,
    },
    // The other flags of a task and of an adapter are found in the settings by those who declare them.
    Data: flags.Data as Pick<typeof dataFlags, 'dataPercentage' | 'randomSeed'>,
    Model: flags.Model as Pick<typeof modelFlags, 'mode'>,
    Adapter: unsearched(loraType),
    Training: {
      ...(Object.fromEntries(training) as unknown as CommonTraining),
      epochs: z.int().min(1).default(10).describe('passes over the training split'),
    },
    Run: { ...engineFlags, logger, ahead, cache, cacheDir, cacheGib, dashboard },
  };
}

/** The flags of an adapter that a search leaves as they are given; `adapterOf` finds them in the settings. */
function unsearched(name: string): LateFlags {
  const { flags, search = {} } = adapterKind(name);
  const others = Object.entries(flags).filter(([key]) => key !== 'loraType' && !(key in search));
  return adapterFlags(Object.fromEntries(others));
}
