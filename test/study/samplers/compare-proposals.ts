import type { Distribution, ParamValue } from '../../../exports/study.js';
import type { TpeCase } from './tpe-cases.js';

/** A float may differ where the C library or numpy rounds otherwise: so many units in the last place of its widest range. */
const ULPS = 1;

export interface Tally {
  values: number;
  equal: number;
  /** The largest difference. */
  ulps: number;
  readonly wrong: string[];
}

export function emptyTally(): Tally {
  return { values: 0, equal: 0, ulps: 0, wrong: [] };
}

/** Counts what is equal bit for bit, and notes what is further apart than rounding explains. */
export function compareProposals(
  { name, space, trials }: TpeCase,
  ours: readonly Readonly<Record<string, ParamValue>>[],
  theirs: readonly Readonly<Record<string, ParamValue>>[],
  tally: Tally,
): void {
  ours.forEach((params, i) => {
    for (const [param, value] of Object.entries(params)) {
      const other = theirs[i]![param]!;
      tally.values++;
      if (Object.is(value, other)) tally.equal++;
      else {
        const seen = trials.flatMap(({ distributions }) => distributions[param] ?? []);
        const ulps = distance([space[param]!, ...seen], value, other);
        tally.ulps = Math.max(tally.ulps, ulps);
        if (!(ulps <= ULPS)) tally.wrong.push(`${name}, ask ${i}, ${param}: ${value}, Optuna ${other}`);
      }
    }
  });
}

/** In units in the last place of the ranges' largest end, in the logarithm where the parameter is log-scaled. */
function distance(distributions: readonly Distribution[], a: ParamValue, b: ParamValue): number {
  if (typeof a !== 'number' || typeof b !== 'number') return Number.POSITIVE_INFINITY;
  const sizes = distributions.map((distribution) => {
    if (distribution.name !== 'FloatDistribution') return Number.NaN;
    const { low, high, log } = distribution;
    return Math.max(...(log ? [Math.log(low), Math.log(high)] : [low, high]).map(Math.abs));
  });
  const isLog = distributions[0]!.name === 'FloatDistribution' && distributions[0]!.log;
  const place = isLog ? Math.log : (x: number) => x;
  return Math.abs(place(a) - place(b)) / 2 ** (Math.floor(Math.log2(Math.max(...sizes))) - 52);
}
