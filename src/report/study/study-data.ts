import type { Study } from '../../study/study.js';
import { type Distribution, isSingle, type SearchSpace } from '../../study/trials/distribution.js';
import type { Direction, FrozenTrial } from '../../study/trials/frozen-trial.js';
import { paramNames } from '../../study/trials/param-names.js';

/** The data from which the plots of a study are drawn. */
export interface StudyData {
  readonly name: string;
  readonly directions: readonly Direction[];
  readonly trials: readonly FrozenTrial[];
  /** One for each objective; `Objective value`, or `Objective 1`, `Objective 2`, …, where there are none. */
  readonly metricNames?: readonly string[] | null;
}

/** A study's data for the plots: a snapshot of its storage. */
export async function studyData(study: Study): Promise<StudyData> {
  const { name, directions } = study;
  return { name, directions, trials: await study.trials(), metricNames: await study.metricNames() };
}

export function objectiveName({ metricNames, directions }: StudyData, objective: number): string {
  return (
    metricNames?.[objective] ?? (directions.length === 1 ? 'Objective value' : `Objective ${objective + 1}`)
  );
}

/** The largest value of an axis: differences of larger values overflow. */
const LARGEST = 4e307;

/** COMPLETE trials whose values are finite, and not too large to be drawn, by number. */
export function completeTrials({ trials, directions }: StudyData): FrozenTrial[] {
  return trials
    .filter(
      ({ state, values }) =>
        state === 'COMPLETE' &&
        values?.length === directions.length &&
        values.every((value) => Math.abs(value) < LARGEST),
    )
    .sort((a, b) => a.number - b.number);
}

/** Every parameter of these trials, in the order in which they were first suggested, from its widest range. */
export function spaceOf(trials: readonly FrozenTrial[]): SearchSpace {
  const space = new Map<string, Distribution>();
  for (const { distributions } of trials)
    for (const name of paramNames(distributions)) {
      const distribution = distributions[name]!;
      const before = space.get(name);
      if (!before) space.set(name, distribution);
      else if (before !== distribution && 'low' in before && 'low' in distribution) {
        const [low, high] = [
          Math.min(before.low, distribution.low),
          Math.max(before.high, distribution.high),
        ];
        if (low < before.low || high > before.high) space.set(name, { ...before, low, high });
      }
    }
  return space;
}

/** The parameters that all of these trials have. */
export function sharedParams(trials: readonly FrozenTrial[]): string[] {
  return [...spaceOf(trials).keys()].filter((name) =>
    trials.every(({ params }) => Object.hasOwn(params, name)),
  );
}

/** The shared parameters that could have more than one value. */
export function varyingParams(trials: readonly FrozenTrial[]): string[] {
  const space = spaceOf(trials);
  return sharedParams(trials).filter((name) => !isSingle(space.get(name)!));
}

/** The place of a value in a range, from 0 to 1; in the middle if the range is a point. */
export function shareOf(value: number, low: number, high: number): number {
  if (low === high) return 0.5;
  // By halves, since a range may be wider than the largest double.
  return (value / 2 - low / 2) / (high / 2 - low / 2);
}

/** A parameter's value on an axis: a number, or the text of a choice. */
export function axisValue(trial: FrozenTrial, name: string): number | string {
  const value = trial.params[name]!;
  return trial.distributions[name]?.name === 'CategoricalDistribution' ? String(value) : (value as number);
}

/** The Vega-Lite channel of a parameter. */
export function paramChannel(name: string, distribution: Distribution, field = name): object {
  const shared = { field: quoted(field), title: name };
  if (distribution.name === 'CategoricalDistribution')
    return {
      ...shared,
      type: 'nominal',
      sort: null,
      scale: { domain: distribution.choices.map(String) },
      axis: { labelAngle: 0, labelLimit: 90 },
    };
  const { low, high, log } = distribution;
  return {
    ...shared,
    type: 'quantitative',
    scale: { type: log ? 'log' : 'linear', domain: [low, high], nice: false, padding: 6 },
    axis: { tickCount: log ? 4 : 5, labelOverlap: true, ...(log && { labelExpr: SCIENTIFIC }) },
  };
}

/** Labels of powers of ten: 1e-3 in general, plain for those of moderate size. */
const SCIENTIFIC =
  "datum.value >= 0.01 && datum.value < 10000 ? format(datum.value, '~r') : format(datum.value, '~e')";

/** A field whose name may hold dots and brackets, which Vega-Lite reads as paths. */
export function quoted(field: string): string {
  return field.replace(/[.[\]'"\\]/g, '\\$&');
}
