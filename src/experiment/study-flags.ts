import { z } from 'zod';
import { nameIn, readUnless, type WhyUnread } from '../cli/flag.js';
import { pruners } from '../study/pruners/pruners.js';
import { MAX_RETRIES } from '../study/retry-trial.js';
import { samplers } from '../study/samplers/samplers.js';
import { LONGEST_INTERVAL } from '../study/storage/sql/heartbeat-options.js';

const inMemory: WhyUnread = ({ storage }) =>
  String(storage).startsWith('memory:') ? '--storage memory:// ends with its process' : undefined;

/** Flags of a study: its storage, sampler and pruner, and how much of it runs in this process. */
export const studyFlags = {
  storage: z
    .string()
    .min(1)
    .default('sqlite:///study.db')
    .describe('storage of the study: sqlite:///…, postgresql://…, mysql://…, journal://… or memory://'),
  nTrials: z
    .int()
    .min(1)
    .default(20)
    .describe(
      'total of COMPLETE and PRUNED trials over all processes; on journal://, trials still running when it is ' +
        'reached are added',
    ),
  sampler: nameIn(samplers).default('tpe').describe('sampler of parameters'),
  pruner: nameIn(pruners).default('median').describe('pruner of unpromising trials'),
  thresholdLower: z.number().optional().describe('threshold pruner: prune below this value'),
  thresholdUpper: z.number().optional().describe('threshold pruner: prune above this value'),
  prunerPatience: z
    .int()
    .min(0)
    .optional()
    .describe('patient pruner: steps without improvement before pruning'),
  prunerMinDelta: z.number().min(0).optional().describe('patient pruner: minimum improvement; default: any'),
  wrappedPruner: nameIn(pruners)
    .optional()
    .describe('patient pruner: pruner that then decides; default: prune at once'),
  concurrency: z.int().min(1).default(1).describe('concurrent trials in this process'),
  timeout: z.number().gt(0).optional().describe('seconds after which no new trial starts'),
  heartbeat: readUnless(
    z
      .number()
      .gt(0)
      .max(LONGEST_INTERVAL)
      .default(60)
      .describe('seconds between heartbeats; a trial that misses two is retried'),
    inMemory,
  ),
  maxRetries: readUnless(
    z
      .int()
      .min(0)
      .default(MAX_RETRIES)
      .describe('maximum retries of a trial whose process died; fresh trials go first'),
    inMemory,
  ),
};
