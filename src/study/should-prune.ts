import { UserError } from '../base/errors.js';
import type { Pruner } from './contracts/pruner.js';
import type { StudyCache } from './study-cache.js';
import type { FrozenTrial } from './trials/frozen-trial.js';

/**
 * The pruner's verdict on a trial, given all that is stored of the other trials.
 *
 * @param flush stores what the pruner noted on the trial
 * @throws UserError when the study has several objectives.
 */
export async function shouldPrune(
  { cache, pruner }: { readonly cache: StudyCache; readonly pruner: Pruner },
  trial: FrozenTrial,
  flush: () => Promise<void>,
): Promise<boolean> {
  const objectives = cache.directions.length;
  if (objectives > 1) throw new UserError(`pruning: expected a study of one objective, got ${objectives}`);
  await cache.refresh();
  const verdict = pruner.prune(cache, trial);
  await flush();
  return verdict;
}
