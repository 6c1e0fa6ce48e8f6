import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { checkpointFlags } from './scoring-flags.js';
import { type TrainedRun, type TrainedRunsOptions, trainedRuns } from './trained-runs.js';

/** Flags that select one trained run. */
export const oneRunFlags = {
  modelDir: checkpointFlags.modelDir,
  checkpoint: checkpointFlags.checkpoint,
  modelName: checkpointFlags.modelName,
  runName: z.string().min(1).optional().describe('the run, where --model-dir is a folder of several'),
};

/**
 * The one trained run in a folder: of runs, of one run, or of one checkpoint.
 *
 * @throws UserError where there are several and none is named, and for what `trainedRuns` refuses.
 */
export async function oneRun(
  dir: string,
  { runName, ...options }: Omit<TrainedRunsOptions, 'runName'> & { readonly runName?: string | undefined },
): Promise<TrainedRun> {
  const runs = await trainedRuns(dir, { ...options, runName: runName === undefined ? [] : [runName] });
  if (runs.length === 1) return runs[0]!;
  throw new UserError(
    `${dir}: expected one run, got ${runs.map(({ name }) => name).join(', ')}; name one with --run-name, or its folder with --model-dir`,
    { path: dir },
  );
}
