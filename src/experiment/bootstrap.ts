import { type Random, randomStream } from '../random/random-stream.js';
import { type Counts, sumOfCounts } from '../tasks/segmentation/metrics/picture-counts.js';
import { meanOfRuns } from './aggregate.js';

/** The counts of the pictures of each run of one setting: runs differ by their seed alone. */
export type RunsCounts = readonly (readonly Counts[])[];

/** Options of `bootstrap`. */
export interface BootstrapOptions {
  /** Resamples. Default 2,000. */
  readonly samples?: number;
  readonly seed?: number;
}

/** The scores of one setting, and those of its resamples, by name. */
export interface Resampled {
  readonly scores: Readonly<Record<string, number>>;
  readonly samples: Readonly<Record<string, readonly number[]>>;
}

/** A score and its 95 % interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Resamples pictures with replacement, and scores each resample from its summed counts (the bootstrap, Efron 1979).
 *
 * Of several runs the score is the mean over them; each resample then first draws runs with replacement, and pictures
 * within each. All settings get the same draws: the differences of their resamples are those of a paired bootstrap, for
 * which run i of each has the same pictures in the same order. A handful of runs says little about others: intervals over
 * three to five seeds are rather too narrow.
 *
 * @example
 * const counts = [{ right: [1] }, { right: [0] }];
 * const [one] = bootstrap([[counts]], ({ right }) => ({ accuracy: right![0]! / 2 }), { samples: 100 });
 * one!.scores; // => ({ accuracy: 0.5 })
 */
export function bootstrap(
  settings: readonly RunsCounts[],
  score: (sums: Counts) => Readonly<Record<string, number>>,
  { samples = 2000, seed = 0 }: BootstrapOptions = {},
): Resampled[] {
  const sizes = settings[0]?.map((run) => run.length) ?? [];
  for (const runs of settings)
    if (runs.length !== sizes.length || runs.some((run, i) => run.length !== sizes[i]))
      throw new Error('expected runs of as many pictures in each setting');
  const random = randomStream(seed, 'bootstrap');
  const draws = Array.from({ length: samples }, () => drawn(random, sizes));
  return settings.map((runs) => {
    const own = meanScores(runs.map((run) => score(sumOfCounts(run))));
    const resampled = draws.map((draw) =>
      meanScores(draw.map(({ run, pictures }) => score(sumOfDrawn(runs[run]!, pictures)))),
    );
    const byName = Object.keys(own).map((name) => [name, resampled.map((scores) => scores[name]!)]);
    return { scores: own, samples: Object.fromEntries(byName) };
  });
}

/** A score with the interval that holds the middle 95 % of its resamples. */
export function intervalOf({ scores, samples }: Resampled, name: string): Interval {
  return { value: scores[name]!, ...middle(samples[name]!, 0.95) };
}

/** The difference of a score between two settings, with the interval of a level: a real one does not hold 0. */
export function differenceOf(
  a: Resampled,
  b: Resampled,
  name: string,
  level = 0.95,
): Interval & { readonly real: boolean } {
  const differences = b.samples[name]!.map((value, i) => value - a.samples[name]![i]!);
  const { low, high } = middle(differences, level);
  return { value: b.scores[name]! - a.scores[name]!, low, high, real: low > 0 || high < 0 };
}

/** A run that was drawn, and how often each of its pictures was. */
interface Draw {
  readonly run: number;
  readonly pictures: readonly number[];
}

function drawn(random: Random, sizes: readonly number[]): Draw[] {
  return sizes.map(() => {
    const run = Math.floor(random() * sizes.length);
    const times = Array.from({ length: sizes[run]! }, () => 0);
    for (let i = 0; i < times.length; i++) times[Math.floor(random() * times.length)]!++;
    return { run, pictures: times };
  });
}

function sumOfDrawn(run: readonly Counts[], times: readonly number[]): Counts {
  const entries = Object.entries(run[0]!).map(([name, values]) => {
    const sums = values.map(() => 0);
    run.forEach((counts, i) => {
      if (times[i] === 0) return;
      const own = counts[name]!;
      for (let k = 0; k < sums.length; k++) sums[k]! += times[i]! * own[k]!;
    });
    return [name, sums];
  });
  return Object.fromEntries(entries) as Counts;
}

function meanScores(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(all[0]!);
  return Object.fromEntries(names.map((name) => [name, meanOfRuns(all.map((scores) => scores[name]!))]));
}

function middle(values: readonly number[], level: number): Pick<Interval, 'low' | 'high'> {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(sorted.length - 1, below + 1);
    return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
  };
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}
