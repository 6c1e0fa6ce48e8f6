import { UserError } from '../base/errors.js';
import { shown } from './trials/fail-reason.js';

/** The system attribute of a study that names its objectives; Optuna's. */
export const METRIC_NAMES = 'study:metric_names';

/** @throws UserError when these are not strings, one for each objective. */
export function checkMetricNames(names: unknown, objectives: number): void {
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw new UserError(`metric names: expected an array of strings, got ${shown(names)}`, { names });
  if (names.length !== objectives)
    throw new UserError(`metric names: expected ${objectives}, got ${names.length}`, { names });
}
