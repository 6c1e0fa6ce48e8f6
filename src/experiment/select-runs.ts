import { noSuchRun, type TrainedRun } from './trained-runs.js';

/** A selection of runs; an empty list selects all. */
export interface RunSelection {
  readonly runName: readonly string[];
  /** The adapter's name, or `head` or `full` without an adapter. */
  readonly loraType: readonly string[];
  readonly randomSeed: readonly number[];
  readonly dataPercentage: readonly number[];
}

/**
 * The selected runs, in the order of the selection: by name, or by every combination of adapter, seed and percentage.
 *
 * @throws UserError for a name or a combination that no run has.
 */
export function selectRuns(runs: readonly TrainedRun[], selection: RunSelection): TrainedRun[] {
  const selectedRuns = new Set<TrainedRun>();
  const any = <T>(values: readonly T[]) => (values.length > 0 ? values : [undefined]);
  for (const name of any(selection.runName))
    for (const type of any(selection.loraType))
      for (const seed of any(selection.randomSeed))
        for (const share of any(selection.dataPercentage)) {
          const fits = ({ name: runName, settings: { model, randomSeed, dataPercentage } }: TrainedRun) =>
            (name === undefined || runName === name) &&
            (type === undefined || (model.adapter?.name ?? model.mode) === type) &&
            (seed === undefined || randomSeed === seed) &&
            (share === undefined || dataPercentage === share);
          const matches = runs.filter(fits);
          if (matches.length === 0) {
            const asked = { name, adapter: type, seed, 'data percentage': share };
            throw noSuchRun(
              asked,
              runs.map((run) => run.name),
            );
          }
          for (const run of matches) selectedRuns.add(run);
        }
  return [...selectedRuns];
}
