import { UserError } from '../base/errors.js';
import type { TrainedRun } from './trained-runs.js';

/** Adapter settings on a command line, by their names in `adapter.settings`. */
export interface AskedAdapter {
  readonly rank?: number | undefined;
  readonly alpha?: number | undefined;
  readonly rBlock?: number | undefined;
  readonly numBlocksPerRow?: number | undefined;
}

const SETTINGS = {
  rank: ['--rank', 'rank'],
  alpha: ['--alpha', 'alpha'],
  rBlock: ['--r-block', 'blockRank'],
  numBlocksPerRow: ['--num-blocks-per-row', 'blocks'],
} as const;

/**
 * Compares adapter flags with the runs' checkpoints and refuses a difference, since the checkpoints determine the
 * adapter. Upstream's commands must say it; here it may be left out.
 *
 * @returns a line for each setting: that all runs have it, or that it means nothing to one.
 * @throws UserError for a run that was trained with another value.
 */
export function checkAdapters(runs: readonly TrainedRun[], adapter: AskedAdapter): string[] {
  const notes: string[] = [];
  for (const [key, [flag, setting]] of Object.entries(SETTINGS)) {
    const got = adapter[key as keyof AskedAdapter];
    if (got === undefined) continue;
    const without: string[] = [];
    for (const { name, path, settings } of runs) {
      const trained = settings.model.adapter?.settings[setting];
      if (trained === undefined) without.push(name);
      else if (trained !== got)
        throw new UserError(
          `${flag} ${got}: expected ${String(trained)}, with which ${name} was trained; leave it out, or choose other runs`,
          { flag, path },
        );
    }
    notes.push(
      without.length > 0
        ? `${flag} ${got}: ignored: ${without.join(', ')} has no such setting`
        : `${flag} ${got}: not needed; the checkpoints say the same`,
    );
  }
  return notes;
}
