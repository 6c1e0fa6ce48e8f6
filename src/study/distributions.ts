import { UserError } from '../base/errors.js';
import { shown } from './fail-reason.js';

/** What a categorical parameter can be: what JSON and Python share as scalars. */
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

export type Distribution = FloatDistribution | IntDistribution | CategoricalDistribution;

/** Parameters by name, in a stable order; relative samplers propose for all of them at once. */
export type SearchSpace = ReadonlyMap<string, Distribution>;

export interface NumericOptions {
  readonly log?: boolean;
  readonly step?: number | null;
}

/**
 * A float distribution, checked. `high` is trimmed to the last grid point that `step` reaches.
 *
 * @throws UserError when low > high, when log meets step or a low of 0 or less, or when step is not positive.
 * @example
 * floatDistribution(1e-5, 1e-1, { log: true });
 */
export function floatDistribution(
  low: number,
  high: number,
  options: NumericOptions = {},
): FloatDistribution {
  const { log = false, step = null } = options;
  checkRange('float', low, high, log, step);
  if (log && low <= 0) throw new UserError(`log needs low > 0, got low ${low}`, { low, high });
  const end = step === null ? high : trimHigh(low, high, step);
  return { name: 'FloatDistribution', low, high: end, log, step };
}

/**
 * An int distribution, checked. `high` is trimmed to the last grid point that `step` reaches.
 *
 * @throws UserError when a bound is not an integer, or as floatDistribution does.
 * @example
 * intDistribution(8, 64, { step: 8 });
 */
export function intDistribution(low: number, high: number, options: NumericOptions = {}): IntDistribution {
  const { log = false } = options;
  const step = options.step ?? 1;
  for (const [name, value] of Object.entries({ low, high, step })) {
    if (!Number.isSafeInteger(value))
      throw new UserError(`${name}: expected an integer, got ${value}`, { name, value });
  }
  checkRange('int', low, high, log, step === 1 && log ? null : step);
  if (log && low < 1) throw new UserError(`log needs low of 1 or more for an int, got ${low}`, { low, high });
  return { name: 'IntDistribution', low, high: low + Math.floor((high - low) / step) * step, log, step };
}

/**
 * A categorical distribution over `choices`, whose order is its identity within a study.
 *
 * @throws UserError when there is no choice, or one that is no string, number, boolean or null.
 */
export function categoricalDistribution(choices: readonly Choice[]): CategoricalDistribution {
  if (!Array.isArray(choices)) throw new UserError(`choices: expected an array, got a ${typeof choices}`);
  if (choices.length === 0) throw new UserError('choices: expected at least one, got none');
  for (const choice of choices) {
    if (choice !== null && !['string', 'number', 'boolean'].includes(typeof choice)) {
      throw new UserError(
        `choices: expected strings, numbers, booleans or null, got a ${typeof choice}; name it`,
      );
    }
  }
  return { name: 'CategoricalDistribution', choices: [...choices] };
}

/**
 * The distribution as its maker would have made it, for one that was put together by hand.
 *
 * @throws UserError when it is none, or as its maker does.
 */
export function checkedDistribution(given: Distribution): Distribution {
  const made = remade(given);
  return sameDistribution(made, given) ? given : made;
}

function remade(given: Distribution): Distribution {
  switch (given?.name) {
    case 'FloatDistribution':
      return floatDistribution(given.low, given.high, given);
    case 'IntDistribution':
      return intDistribution(given.low, given.high, given);
    case 'CategoricalDistribution':
      return categoricalDistribution(given.choices);
    default:
      throw new UserError(
        `distribution: expected what floatDistribution, intDistribution or categoricalDistribution makes, got ${shown(given)}`,
      );
  }
}

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

/** Whether two distributions are the same in every field. */
export function sameDistribution(a: Distribution, b: Distribution): boolean {
  if (a === b) return true;
  if (a.name === 'CategoricalDistribution' || b.name === 'CategoricalDistribution') {
    return a.name === b.name && sameChoices(a as CategoricalDistribution, b as CategoricalDistribution);
  }
  return a.name === b.name && a.low === b.low && a.high === b.high && a.log === b.log && a.step === b.step;
}

/**
 * Checks that one name keeps its kind within a study: ranges and steps may move, but not the class, `log`, or a
 * categorical's choices.
 *
 * @throws UserError that names the parameter and both distributions.
 */
export function checkCompatible(param: string, known: Distribution, asked: Distribution): void {
  if (known === asked) return;
  const fits =
    known.name === 'CategoricalDistribution' || asked.name === 'CategoricalDistribution'
      ? sameDistribution(known, asked)
      : known.name === asked.name && known.log === asked.log;
  if (fits) return;
  throw new UserError(
    `parameter "${param}": this study knows it as ${JSON.stringify(known)}, got ${JSON.stringify(asked)}; ` +
      'keep its type, log and choices, or give it another name',
    { param, known, asked },
  );
}

function sameChoices(a: CategoricalDistribution, b: CategoricalDistribution): boolean {
  return (
    a.choices.length === b.choices.length && a.choices.every((choice, i) => Object.is(choice, b.choices[i]))
  );
}

function checkRange(kind: string, low: number, high: number, log: boolean, step: number | null): void {
  if (typeof log !== 'boolean')
    throw new UserError(`${kind}: expected log to be true or false, got ${log}`, { log });
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
    throw new UserError(`${kind}: expected finite low <= high, got low ${low}, high ${high}`, { low, high });
  }
  if (!Number.isFinite(high - low))
    throw new UserError(`${kind}: expected a range no wider than 1.8e308, got low ${low}, high ${high}`, {
      low,
      high,
    });
  if (step === null) return;
  if (log)
    throw new UserError(`${kind}: log and step exclude each other, got step ${step} with log`, { step });
  if (typeof step !== 'number' || !(step > 0 && step < Number.POSITIVE_INFINITY))
    throw new UserError(`${kind}: expected step > 0, got ${step}`, { step });
}

/** The last grid point at or below high, in decimals: 0.1 + 2·0.1 reaches 0.3, though not in binary. */
function trimHigh(low: number, high: number, step: number): number {
  const k = (high - low) / step;
  if (Math.abs(k - Math.round(k)) < 1e-8) return high;
  const digits = Math.max(decimals(low), decimals(step));
  const end = low + Math.floor(k) * step;
  return digits > 15 ? end : Number(end.toFixed(digits));
}

/** How many digits after the point the number has as it is printed. */
export function decimals(x: number): number {
  const [mantissa = '', exponent = '0'] = String(x).split('e');
  return Math.max(0, (mantissa.split('.')[1]?.length ?? 0) - Number(exponent));
}
