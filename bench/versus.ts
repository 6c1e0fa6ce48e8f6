import { median } from './measure.js';
import type { StepResult } from './result.js';

/** One program with one command line. */
export interface Contender {
  readonly name: string;
  run(): Promise<StepResult>;
}

/** A ratio that we promise: `of(a)` of what it is measured against, by that of ours. */
export interface Comparison {
  readonly title: string;
  readonly ours: string;
  /** The best of these counts: the one with the least median. */
  readonly peers: readonly string[];
  readonly of: 's_per_step' | 'peak_rss_mb';
  /** The ratio aimed at, as a minimum. */
  readonly target: number;
}

export interface Row {
  readonly case: string;
  /** Medians over the rounds. */
  readonly ours: number;
  readonly peer: number;
  readonly unit: 's' | 'MB';
  readonly peerName: string;
  /** peer / ours within a round: median, least and most over the rounds. Above 1, ours is better. */
  readonly ratio: number;
  readonly min: number;
  readonly max: number;
  readonly target: number;
}

export interface Rounds {
  /** By contender, one result a round. */
  readonly results: ReadonlyMap<string, readonly StepResult[]>;
  /** Why a contender cannot run on this machine. */
  readonly failed: ReadonlyMap<string, string>;
}

/** Runs all contenders in turn, `rounds` times; one that fails is left out from then on. */
export async function alternate(
  contenders: readonly Contender[],
  rounds: number,
  say: (line: string) => void,
): Promise<Rounds> {
  const results = new Map<string, StepResult[]>(contenders.map(({ name }) => [name, []]));
  const failed = new Map<string, string>();
  for (let round = 1; round <= rounds; round++)
    for (const { name, run } of contenders) {
      if (failed.has(name)) continue;
      try {
        const result = await run();
        results.get(name)!.push(result);
        say(
          `round ${round}/${rounds}  ${name}: ${result.s_per_step.toFixed(4)} s, ${result.peak_rss_mb.toFixed(0)} MB`,
        );
      } catch (error) {
        failed.set(name, (error as Error).message);
        say(`${name} does not run here: ${(error as Error).message}`);
      }
    }
  return { results, failed };
}

/** The ratio of a comparison; undefined if ours or every peer failed. */
export function rowOf(
  { title, ours, peers, of, target }: Comparison,
  { results, failed }: Rounds,
): Row | undefined {
  const values = (name: string) =>
    failed.has(name) ? [] : (results.get(name) ?? []).map((result) => result[of]);
  const mine = values(ours);
  const best = peers
    .filter((name) => values(name).length > 0)
    .sort((a, b) => median(values(a)) - median(values(b)))[0];
  if (mine.length === 0 || best === undefined) return undefined;
  const theirs = values(best);
  const ratios = mine.map((value, round) => theirs[round]! / value);
  return {
    case: title,
    ours: median(mine),
    peer: median(theirs),
    unit: of === 's_per_step' ? 's' : 'MB',
    peerName: best,
    ratio: median(ratios),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    target,
  };
}
