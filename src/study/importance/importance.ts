import { UserError } from '../../base/errors.js';
import { type Distribution, isSingle } from '../trials/distribution.js';
import type { Direction, FrozenTrial } from '../trials/frozen-trial.js';
import { sameDistribution } from '../trials/same-distribution.js';
import { type FanovaOptions, fanova } from './fanova.js';
import { type PedAnovaOptions, pedAnova } from './ped-anova.js';

/** Options of `importancesOf` and `paramImportances`. */
export interface ImportanceOptions extends FanovaOptions, PedAnovaOptions {
  /** `fanova` by default, which explains the objective over the whole space; `ped-anova` explains its best values. */
  readonly evaluator?: 'fanova' | 'ped-anova';
  /** The parameters to explain. Default: all that every COMPLETE trial has, from the same range. */
  readonly params?: readonly string[];
  /** The value to explain, to be minimised. Default: the study's value. */
  readonly target?: (trial: FrozenTrial) => number;
  /** Scale the importances to a sum of 1. Default true. */
  readonly normalize?: boolean;
}

/**
 * How much each parameter matters, the most important first, from COMPLETE trials with a finite value. (Names like '10'
 * come before all others, as in any object.)
 *
 * A parameter that could only be one value has 0; where none matters at all, all matter alike; where there is none,
 * neither is an importance. With `params`, trials that lack one of them are left out.
 *
 * @throws UserError when there are fewer than two trials, several objectives without a `target`, or a range that moves.
 * @example
 * importancesOf(await study.trials(), study.directions); // such as { learningRate: 0.81, rank: 0.19 }
 */
export function importancesOf(
  trials: readonly FrozenTrial[],
  directions: readonly Direction[],
  options?: ImportanceOptions,
): Record<string, number> {
  return Object.fromEntries(rankedImportances(trials, directions, options));
}

/** The same as pairs, whose order holds for names like '10' too. */
export function rankedImportances(
  trials: readonly FrozenTrial[],
  directions: readonly Direction[],
  options: ImportanceOptions = {},
): [name: string, importance: number][] {
  const { evaluator = 'fanova', target, normalize = true } = options;
  if (directions.length > 1 && !target)
    throw new UserError(
      `importances: expected one objective, got ${directions.length}; name one: { target: ({ values }) => values[0] }`,
    );
  const sign = directions[0] === 'maximize' && !target ? -1 : 1;
  const loss = (trial: FrozenTrial) => (target ? target(trial) : sign * trial.values![0]!);
  const complete = trials.filter(({ state, values }) => state === 'COMPLETE' && values);
  if (complete.length < 2)
    throw new UserError(`importances: expected at least two COMPLETE trials, got ${complete.length}`);
  const space = spaceOf(complete, options.params);
  const names = [...space.keys()];
  const used = complete.filter(
    (trial) => names.every((name) => Object.hasOwn(trial.params, name)) && Number.isFinite(loss(trial)),
  );
  const open = new Map([...space].filter(([, distribution]) => !isSingle(distribution)));
  const evaluate = { fanova, 'ped-anova': pedAnova }[evaluator];
  if (!evaluate)
    throw new UserError(`importances: expected the evaluator fanova or ped-anova, got "${evaluator}"`);
  const raw = used.length < 2 || open.size === 0 ? [] : evaluate(used, used.map(loss), open, options);
  const importances = new Map([...open.keys()].map((name, i) => [name, raw[i] ?? 0]));
  const all = names.map((name): [string, number] => [name, importances.get(name) ?? 0]);
  const total = all.reduce((sum, [, importance]) => sum + importance, 0);
  const scaled = all.map(([name, importance]): [string, number] => {
    if (!normalize) return [name, importance];
    return [name, total === 0 ? 1 / all.length : importance / total];
  });
  return scaled.sort((a, b) => b[1] - a[1]);
}

/** The same of a study, or anything that has trials and directions. */
export async function paramImportances(
  study: { trials(): Promise<readonly FrozenTrial[]>; readonly directions: readonly Direction[] },
  options?: ImportanceOptions,
): Promise<Record<string, number>> {
  return importancesOf(await study.trials(), study.directions, options);
}

function spaceOf(
  trials: readonly FrozenTrial[],
  params: readonly string[] | undefined,
): Map<string, Distribution> {
  const having = params
    ? trials.filter((trial) => params.every((name) => Object.hasOwn(trial.distributions, name)))
    : trials;
  if (having.length === 0)
    throw new UserError(`importances: no COMPLETE trial has all of ${params!.join(', ')}`);
  const names = (params ?? Object.keys(having[0]!.distributions)).toSorted();
  const space = new Map<string, Distribution>();
  for (const name of names) {
    const distribution = having[0]!.distributions[name]!;
    const same = having.every(
      ({ distributions }) =>
        Object.hasOwn(distributions, name) && sameDistribution(distributions[name]!, distribution),
    );
    if (same) space.set(name, distribution);
    else if (params)
      throw new UserError(`importances: "${name}" has not the same range in all trials; leave it out`, {
        name,
      });
  }
  return space;
}
