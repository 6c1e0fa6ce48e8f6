import { UserError } from '../base/errors.js';
import { numberOf } from '../events/shown-scores.js';
import type { TestScores } from '../loggers/summary.js';

/** The arithmetic mean. @throws where there is nothing to average, and for what is no finite number: a run that diverged. */
export function meanOfRuns(values: readonly number[]): number {
  if (values.length === 0) throw new Error('nothing to average');
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0)
    throw new UserError(
      `expected finite scores of every run, got ${values[index]} of run ${index + 1} of ${values.length}; leave out runs that diverged`,
      { values },
    );
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** The population standard deviation: √(Σ(x − mean)²/n), as numpy's `std`; 0 of one value. */
export function deviationOfRuns(values: readonly number[]): number {
  const mean = meanOfRuns(values);
  return Math.sqrt(meanOfRuns(values.map((value) => (value - mean) ** 2)));
}

/**
 * Mean and population standard deviation of each score over runs, none of which may have diverged. A class that only some runs scored is averaged over
 * those; one that none scored stays null.
 *
 * @example
 * const runs = [0.5, 0.7].map((miou) => ({ softDice: 0.6, softIou: 0.5, dice: [0.6], iou: [0.5], miou, accuracy: 0.9 }));
 * const { mean, std } = scoreStatistics(runs);
 * mean.miou.toFixed(2); // => '0.60'
 * std.miou.toFixed(2); // => '0.10'
 */
export function scoreStatistics<S extends TestScores>(runs: readonly S[]): { mean: S; std: S } {
  return { mean: combine(runs, meanOfRuns), std: combine(runs, deviationOfRuns) };
}

function combine<S extends TestScores>(
  runs: readonly S[],
  statistic: (values: readonly number[]) => number,
): S {
  const over = (score: TestScores[string], name: string) => {
    if (!Array.isArray(score)) return statistic(runs.map((scores) => numberOf(scores, name)));
    return score.map((_, c) => {
      const present = runs.map((scores) => (scores[name] as typeof score)[c] ?? null);
      const values = present.filter((value) => value !== null);
      return values.length === 0 ? null : statistic(values);
    });
  };
  const entries = Object.entries(runs[0] ?? {}).map(([name, score]) => [name, over(score, name)]);
  return Object.fromEntries(entries) as S;
}

/** Groups by equal keys, in the order of their first occurrence. */
export function groupBy<T>(items: Iterable<T>, key: (item: T) => unknown): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = JSON.stringify(key(item));
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return [...groups.values()];
}
