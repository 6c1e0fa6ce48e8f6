import { UserError } from '../../../base/errors.js';
import type { Choice } from '../../trials/distribution.js';
import type { Constraints } from '../shared/note-constraints.js';

/** Options of `TpeSampler`. */
export interface TpeOptions {
  /** 32 bits; the same seed and history propose the same values again. By default unlike any other's. */
  readonly seed?: number;
  /**
   * The version whose defaults apply: Optuna's up to 4.9, or `optuna5`: multivariate for one objective, constant
   * liar, gamma without its limit and equal weights for several, and constraints recorded on any trial count.
   */
  readonly defaults?: 'optuna4' | 'optuna5';
  /** Model all parameters that every trial has together; those that some lack are proposed independently. */
  readonly multivariate?: boolean;
  /** Model sets of parameters that occur together, each set multivariate; needs `multivariate`. */
  readonly group?: boolean;
  /** Avoid the parameters of running trials, which then count among the bad ones. */
  readonly constantLiar?: boolean;
  /** Trials that are proposed at random before the model is asked, 10 by default. */
  readonly startupTrials?: number;
  /** The number of candidates of which the most promising is proposed, 24 by default. */
  readonly candidates?: number;
  /** The number of good trials among n finished ones; by default min(⌈n/10⌉, 25). */
  readonly gamma?: (n: number) => number;
  /**
   * Weights of n observations, oldest first; by default the last 25 weigh 1, earlier ones increasingly less.
   */
  readonly weights?: (n: number) => readonly number[];
  /** The weight of the prior beside the observations', 1 by default. */
  readonly priorWeight?: number;
  /** Keep kernels at least 1/min(100, n + 2) of the range wide, which is the default. */
  readonly magicClip?: boolean;
  /** Let the range's ends count as neighbours of the outermost kernels; off by default. */
  readonly endpoints?: boolean;
  /** Evaluates the constraints of a trial that ends COMPLETE or PRUNED; 0 or less is satisfied. */
  readonly constraints?: Constraints;
  /**
   * The distance between two choices, by parameter, 0 or more: good choices then recommend those near them.
   */
  readonly categoricalDistance?: Readonly<Record<string, (a: Choice, b: Choice) => number>>;
}

/** The options with the defaults of a study with this many objectives. */
export interface TpeSettings {
  readonly multivariate: boolean;
  readonly group: boolean;
  readonly constantLiar: boolean;
  readonly startupTrials: number;
  readonly candidates: number;
  readonly gamma: (n: number) => number;
  /** Null: the default ramp. */
  readonly weights: ((n: number) => readonly number[]) | null;
  readonly priorWeight: number;
  readonly magicClip: boolean;
  readonly endpoints: boolean;
  readonly constraints: Constraints | null;
  readonly categoricalDistance: NonNullable<TpeOptions['categoricalDistance']>;
  /** Kernels as wide as their neighbours are apart, also in multivariate models (from Optuna 5). */
  readonly neighbourWidths: boolean;
  /** Whether trials that violate constraints count as such though this sampler was given none (from Optuna 5). */
  readonly heedsNotedConstraints: boolean;
  /** Whether good trials of several objectives weigh by their hypervolume (until Optuna 4.9). */
  readonly hypervolumeWeights: boolean;
}

export function settingsOf(options: TpeOptions, objectives: number): TpeSettings {
  const five = options.defaults === 'optuna5';
  const several = objectives > 1;
  const { group = false } = options;
  const { multivariate = five && (group || !several) } = options;
  return {
    multivariate,
    group,
    constantLiar: options.constantLiar ?? five,
    startupTrials: options.startupTrials ?? 10,
    candidates: options.candidates ?? 24,
    gamma: options.gamma ?? (five && several ? unlimitedGamma : defaultGamma),
    weights: options.weights ?? null,
    priorWeight: options.priorWeight ?? 1,
    magicClip: options.magicClip ?? true,
    endpoints: options.endpoints ?? false,
    constraints: options.constraints ?? null,
    categoricalDistance: options.categoricalDistance ?? {},
    neighbourWidths: five || !multivariate,
    heedsNotedConstraints: five,
    hypervolumeWeights: !five,
  };
}

/** @throws UserError when an option is out of its range, or `group` comes without `multivariate`. */
export function checkOptions({
  startupTrials = 10,
  candidates = 24,
  priorWeight = 1,
  ...options
}: TpeOptions) {
  if (!Number.isInteger(candidates) || candidates < 1)
    throw new UserError(`candidates: expected an integer from 1 up, got ${candidates}`, { candidates });
  if (!(startupTrials >= 0))
    throw new UserError(`startupTrials: expected 0 or more, got ${startupTrials}`, { startupTrials });
  if (!(priorWeight >= 0))
    throw new UserError(`priorWeight: expected 0 or more, got ${priorWeight}`, { priorWeight });
  if (options.group && !(options.multivariate ?? options.defaults === 'optuna5'))
    throw new UserError('group: it needs multivariate; set it, or leave group out');
}

/** Checks the result of `gamma`. @throws UserError when it is not a count. */
export function goodCount(n: number, { gamma }: TpeSettings): number {
  const count = gamma(n);
  if (!(count >= 0)) throw new UserError(`gamma: expected 0 or more of ${n} trials, got ${count}`, { count });
  return count;
}

/**
 * The weights of n observations, the oldest first.
 *
 * @throws UserError when `weights` answers with too few, or with some that are no weights.
 */
export function weightsOf(n: number, { weights }: TpeSettings): ArrayLike<number> {
  if (!weights) return rampWeights(n);
  const values = Array.from(weights(n)).slice(0, n);
  const isWeight = (weight: number) => weight >= 0 && Number.isFinite(weight);
  if (values.length < n || !values.every(isWeight) || (n > 0 && values.every((weight) => weight === 0)))
    throw new UserError(`weights: expected ${n} finite numbers from 0 up, not all 0, got [${values}]`, {
      values,
    });
  return values;
}

function defaultGamma(n: number): number {
  return Math.min(unlimitedGamma(n), 25);
}

function unlimitedGamma(n: number): number {
  return Math.ceil(0.1 * n);
}

/** The default weights of n observations: 25 times 1, and before them a ramp from 1/n. */
export function rampWeights(n: number): Float64Array {
  const weights = new Float64Array(n).fill(1);
  const ramp = n - 25;
  if (ramp <= 0) return weights;
  const first = 1 / n;
  const step = (1 - first) / (ramp - 1);
  for (let i = 0; i < ramp; i++) weights[i] = ramp === 1 ? first : i === ramp - 1 ? 1 : i * step + first;
  return weights;
}
