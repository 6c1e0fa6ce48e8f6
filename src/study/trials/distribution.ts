import { UserError } from '../../base/errors.js';
import { shown } from './fail-reason.js';

/** A choice of a categorical parameter: a scalar that JSON and Python share. */
export type Choice = string | number | boolean | null;

/** A suggested value as user code sees it. */
export type ParamValue = Choice;

/** A real parameter, uniform in [low, high]; with `log`, uniform in its logarithm; with `step`, on a grid from low. */
export interface FloatDistribution {
  readonly name: 'FloatDistribution';
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly step: number | null;
}

/** An integer parameter in [low, high], on a grid of `step` from low; with `log`, uniform in its logarithm. */
export interface IntDistribution {
  readonly name: 'IntDistribution';
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly step: number;
}

/** A parameter that is one of `choices`; its internal form is the choice's index. */
export interface CategoricalDistribution {
  readonly name: 'CategoricalDistribution';
  readonly choices: readonly Choice[];
}

/** The set of values that a parameter is drawn from. */
export type Distribution = FloatDistribution | IntDistribution | CategoricalDistribution;

/** Parameters by name, in a stable order; relative samplers propose for all of them at once. */
export type SearchSpace = ReadonlyMap<string, Distribution>;

/**
 * The number that stands for a value in storages and samplers: a choice's index, otherwise the value itself.
 *
 * @throws UserError when the value is none of the choices, or no number. Whether it lies in the range is `contains`'s
 * question.
 */
export function toInternal(distribution: Distribution, value: ParamValue): number {
  if (distribution.name !== 'CategoricalDistribution') {
    if (typeof value !== 'number' || Number.isNaN(value))
      throw new UserError(`expected a number, got ${shown(value)}`, { value });
    return value;
  }
  const index = distribution.choices.findIndex((choice) => Object.is(choice, value) || choice === value);
  if (index < 0) {
    throw new UserError(
      `expected one of ${JSON.stringify(distribution.choices)}, got ${JSON.stringify(value)}`,
      { value, choices: distribution.choices },
    );
  }
  return index;
}

/** The value that an internal number stands for; an int's fraction is cut off, as Python's int() does. */
export function toExternal(distribution: Distribution, internal: number): ParamValue {
  if (distribution.name === 'FloatDistribution') return internal;
  if (distribution.name === 'IntDistribution') return Math.trunc(internal);
  return distribution.choices[internal] as Choice;
}

/** Whether the distribution can yield this internal number; grid points count within a relative 1e-8 of a step. */
export function contains(distribution: Distribution, internal: number): boolean {
  if (distribution.name === 'CategoricalDistribution') {
    return Number.isInteger(internal) && internal >= 0 && internal < distribution.choices.length;
  }
  const { low, high, step } = distribution;
  if (!(internal >= low && internal <= high)) return false;
  if (step === null) return true;
  const k = (internal - low) / step;
  return Math.abs(k - Math.round(k)) < 1e-8;
}

/** Whether only one value is possible, so that there is nothing to sample. */
export function isSingle(distribution: Distribution): boolean {
  if (distribution.name === 'CategoricalDistribution') return distribution.choices.length === 1;
  const { low, high, step } = distribution;
  return low === high || (step !== null && high - low < step);
}

/** A range as messages name it: `[0, 1]`, `[1e-5, 0.1], log`, `[8, 64], step 8`. */
export function rangeText(distribution: Distribution): string {
  if (distribution.name === 'CategoricalDistribution') return JSON.stringify(distribution.choices);
  const { name, low, high, log, step } = distribution;
  const isPlain = step === null || (name === 'IntDistribution' && step === 1);
  return `[${low}, ${high}]${log ? ', log' : ''}${isPlain ? '' : `, step ${step}`}`;
}
