import { exp, log as ln } from '../../../numeric/exp-log.js';
import { argMax } from '../../../numeric/extremes.js';
import { nextDown, roundHalfEven } from '../../../numeric/float.js';
import type { NumpyRandom } from '../../../random/numpy-random.js';
import type {
  Distribution,
  FloatDistribution,
  IntDistribution,
  ParamValue,
} from '../../trials/distribution.js';

/**
 * A value drawn uniformly from a distribution, in its logarithm with `log`.
 *
 * A grid's end points are as likely as the others: the range is half a step wider on both sides. A categorical is
 * the largest of one draw for each choice, as in Optuna, so that their streams stay in step.
 */
export function uniformValue(random: NumpyRandom, distribution: Distribution): ParamValue {
  if (distribution.name === 'CategoricalDistribution') {
    return distribution.choices[argMax(distribution.choices.map(() => random.random()))]!;
  }
  return distribution.name === 'FloatDistribution' ? float(random, distribution) : int(random, distribution);
}

function float(random: NumpyRandom, { low, high, log, step }: FloatDistribution): number {
  if (step !== null) return onGrid(random.uniform(low - step / 2, high + step / 2), low, high, step);
  const x = log ? exp(random.uniform(ln(low), ln(high))) : random.uniform(low, high);
  return Math.max(low, Math.min(x, nextDown(high)));
}

function int(random: NumpyRandom, { low, high, log, step }: IntDistribution): number {
  if (!log) return onGrid(random.uniform(low - step / 2, high + step / 2), low, high, step);
  const x = exp(random.uniform(ln(low - step / 2), ln(high + step / 2)));
  return clamp(roundHalfEven(x), low, high);
}

/** The grid point nearest to x. */
export function onGrid(x: number, low: number, high: number, step: number): number {
  return clamp(roundHalfEven((x - low) / step) * step + low, low, high);
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}
