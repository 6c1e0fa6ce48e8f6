import { UserError } from '../base/errors.js';
import { flagName } from '../cli/flag.js';
import type { Pruner } from '../study/contracts/pruner.js';
import { pruners } from '../study/pruners/pruners.js';

/** The flags that choose a pruner; see `studyFlags`. */
export interface PrunerSettings {
  readonly pruner: string;
  readonly thresholdLower?: number | undefined;
  readonly thresholdUpper?: number | undefined;
  readonly prunerPatience?: number | undefined;
  readonly prunerMinDelta?: number | undefined;
  readonly wrappedPruner?: string | undefined;
}

/** The pruner that each flag belongs to. */
const NEEDED = {
  thresholdLower: 'threshold',
  thresholdUpper: 'threshold',
  prunerPatience: 'patient',
  prunerMinDelta: 'patient',
  wrappedPruner: 'patient',
} as const;

/**
 * The pruner of a study's flags; `steps` is how many a trial takes, where known.
 *
 * @throws UserError for a flag that the pruner needs and that is missing, and for one of another pruner.
 */
export function studyPruner(settings: PrunerSettings, steps?: number): Pruner {
  const { pruner, wrappedPruner: wrapped } = settings;
  const { thresholdLower: lower, thresholdUpper: upper } = settings;
  const used = [pruner, ...(pruner === 'patient' && wrapped !== undefined ? [wrapped] : [])];
  for (const [key, needed] of Object.entries(NEEDED) as [keyof typeof NEEDED, string][])
    if (settings[key] !== undefined && !used.includes(needed))
      throw new UserError(
        `--${flagName(key)}: expected it with --pruner ${needed}, got --pruner ${pruner}; leave it out`,
        { flag: flagName(key) },
      );
  if (used.includes('threshold') && lower === undefined && upper === undefined)
    throw new UserError('--pruner threshold: expected --threshold-lower, --threshold-upper or both');
  const { prunerPatience: patience, prunerMinDelta: minDelta } = settings;
  return pruners.make(pruner, { steps, lower, upper, patience, minDelta, wrapped });
}
