import { type Distribution, toInternal } from '../../trials/distribution.js';
import type { FrozenTrial } from '../../trials/frozen-trial.js';
import type { Columns } from './dimension.js';
import type { TpeSettings } from './options.js';
import { runningParams } from './relative-params.js';

/** The parameters that are proposed together. */
export type Space = readonly (readonly [name: string, distribution: Distribution])[];

/** Whether the trial has all the parameters. */
export function has(trial: FrozenTrial, space: Space, settings: TpeSettings): boolean {
  const params = paramsOf(trial, settings);
  return space.every(([name]) => Object.hasOwn(params, name));
}

/** The internal values of the trials that have all the parameters. */
export function observations(trials: readonly FrozenTrial[], space: Space, settings: TpeSettings): Columns {
  const rows = trials.filter((trial) => has(trial, space, settings));
  return space.map(([name, distribution]) =>
    Float64Array.from(rows, (trial) => toInternal(distribution, paramsOf(trial, settings)[name]!)),
  );
}

/** The parameters of a trial; for a running trial also its proposal, if the model is multivariate. */
function paramsOf(trial: FrozenTrial, { multivariate }: TpeSettings) {
  return multivariate && trial.state === 'RUNNING' ? runningParams(trial) : trial.params;
}
