import { z } from 'zod';
import { nameIn } from '../cli/flag.js';
import { pruners } from '../study/pruners/pruners.js';
import { MAX_RETRIES } from '../study/retry-trial.js';
import { samplers } from '../study/samplers/samplers.js';
import { LONGEST_INTERVAL } from '../study/storage/sql/heartbeat-options.js';

/** Where a study lives, who proposes, and how much of it runs here. */
export const studyFlags = {
  storage: z
    .string()
    .min(1)
    .default('sqlite:///study.db')
    .describe('where the study lives: sqlite:///…, postgresql://…, mysql://…, journal://… or memory://'),
  nTrials: z
    .int()
    .min(1)
    .default(20)
    .describe(
      'COMPLETE and PRUNED trials that the study gets, over all its processes; on journal:// those that run ' +
        'when it has them come on top',
    ),
  sampler: nameIn(samplers).default('tpe').describe('who proposes'),
  pruner: nameIn(pruners).default('median').describe('who ends unpromising trials early'),
  thresholdLower: z.number().optional().describe('of --pruner threshold: a value below it ends a trial'),
  thresholdUpper: z.number().optional().describe('of --pruner threshold: a value above it ends a trial'),
  prunerPatience: z
    .int()
    .min(0)
    .optional()
    .describe('of --pruner patient: steps that a trial may go without improving'),
  prunerMinDelta: z
    .number()
    .min(0)
    .optional()
    .describe('of --pruner patient: what counts as an improvement; default: anything'),
  wrappedPruner: nameIn(pruners)
    .optional()
    .describe('of --pruner patient: who then decides; default: the trial ends'),
  concurrency: z.int().min(1).default(1).describe('trials at a time in this process'),
  timeout: z.number().gt(0).optional().describe('seconds after which no further trial begins'),
  heartbeat: z
    .number()
    .gt(0)
    .max(LONGEST_INTERVAL)
    .default(60)
    .describe('seconds between signs of life; a trial without any for two of them is retried'),
  maxRetries: z
    .int()
    .min(0)
    .default(MAX_RETRIES)
    .describe('how often a trial whose process died is tried again, each time after a fresh one'),
};
