import type { StudyView } from '../../contracts/study-view.js';
import type { FrozenTrial } from '../../trials/frozen-trial.js';
import type { TpeHistory } from './history.js';
import { has, observations, type Space } from './observations.js';
import { type TpeSettings, weightsOf } from './options.js';
import { ParzenEstimator } from './parzen-estimator.js';
import { hypervolumeWeights } from './select-trials.js';

/** The density of the good trials. */
export function goodEstimator(
  { directions }: StudyView,
  below: readonly FrozenTrial[],
  space: Space,
  settings: TpeSettings,
): ParzenEstimator {
  const data = observations(below, space, settings);
  const count = data[0]!.length;
  if (directions.length === 1) return new ParzenEstimator(space, data, weightsOf(count, settings), settings);
  if (!settings.hypervolumeWeights)
    return new ParzenEstimator(space, data, new Float64Array(count).fill(1), settings);
  const weights = hypervolumeWeights(
    below,
    directions.map((direction) => (direction === 'maximize' ? -1 : 1)),
    (trial) => settings.constraints?.(trial).every((value) => value <= 0) ?? true,
  ).filter((_, i) => has(below[i]!, space, settings));
  return new ParzenEstimator(space, data, weights, settings);
}

/** The density of all that is not good, built from all of it. */
export function badEstimator(
  history: TpeHistory,
  below: readonly FrozenTrial[],
  running: readonly FrozenTrial[],
  space: Space,
  settings: TpeSettings,
): ParzenEstimator {
  const isBelow = new Set(below);
  const above = [...history.arrived.filter((trial) => !isBelow.has(trial)), ...running];
  above.sort((a, b) => a.number - b.number);
  const data = observations(above, space, settings);
  return new ParzenEstimator(space, data, weightsOf(data[0]!.length, settings), settings);
}
