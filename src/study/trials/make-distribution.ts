import { UserError } from '../../base/errors.js';
import type {
  CategoricalDistribution,
  Choice,
  Distribution,
  FloatDistribution,
  IntDistribution,
} from './distribution.js';
import { shown } from './fail-reason.js';
import { sameDistribution } from './same-distribution.js';

/** Options of a range of numbers. */
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
 * @throws UserError when there is no choice, or one that is not a string, number, boolean or null.
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
 * Validates a hand-made distribution, and returns it as its maker would have made it.
 *
 * @throws UserError when it is none, or as its maker does.
 */
export function checkedDistribution(distribution: Distribution): Distribution {
  const valid = remade(distribution);
  return sameDistribution(valid, distribution) ? distribution : valid;
}

function remade(distribution: Distribution): Distribution {
  switch (distribution?.name) {
    case 'FloatDistribution':
      return floatDistribution(distribution.low, distribution.high, distribution);
    case 'IntDistribution':
      return intDistribution(distribution.low, distribution.high, distribution);
    case 'CategoricalDistribution':
      return categoricalDistribution(distribution.choices);
    default:
      throw new UserError(
        `distribution: expected one from floatDistribution, intDistribution or categoricalDistribution, got ${shown(distribution)}`,
      );
  }
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
