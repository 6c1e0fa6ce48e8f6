import { log, pow } from '../../../numeric/exp-log.js';
import type { FloatDistribution, IntDistribution } from '../../trials/distribution.js';
import type { TpeSettings } from './options.js';

export type NumericDistribution = FloatDistribution | IntDistribution;

/** Where the kernels of a numeric parameter live: its range, half a step wider on a grid, in its logarithm with `log`. */
export interface KernelRange {
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly step: number | null;
}

const ranges = new WeakMap<NumericDistribution, KernelRange>();

export function kernelRange(distribution: NumericDistribution): KernelRange {
  let range = ranges.get(distribution);
  if (!range) {
    const { step, log: isLog } = distribution;
    const low = step === null ? distribution.low : distribution.low - step / 2;
    const high = step === null ? distribution.high : distribution.high + step / 2;
    range = { low: isLog ? log(low) : low, high: isLog ? log(high) : high, log: isLog, step };
    ranges.set(distribution, range);
  }
  return range;
}

/** The ends of a grid point's cell, as kernels see them. */
export function cellOf(
  x: number,
  { step, log: isLog }: KernelRange,
  logarithm: (x: number) => number = Math.log,
): [number, number] {
  const half = step! / 2;
  return isLog ? [logarithm(x - half), logarithm(x + half)] : [x - half, x + half];
}

/** The smallest width of one of `count` kernels, the prior not counted. */
export function smallestWidth({ low, high }: KernelRange, count: number, magicClip: boolean): number {
  return magicClip ? (high - low) / Math.min(100, count + 2) : 1e-12;
}

/**
 * The widths of kernels at `centres` (Bergstra et al. 2011, section 4.2): the larger distance to a neighbour in
 * order, or 0.2·n^(−1/(d + 4)) of the range for all in a multivariate model of Optuna 4; clipped.
 *
 * Equal centres stand in order of their index. numpy's own order of equals depends on the processor.
 */
export function kernelWidths(
  centres: Float64Array,
  range: KernelRange,
  dimensions: number,
  { neighbourWidths, magicClip, endpoints }: TpeSettings,
): Float64Array {
  const { low, high } = range;
  const n = centres.length;
  const least = smallestWidth(range, n, magicClip);
  const most = high - low;
  const clip = (width: number) => Math.min(Math.max(width, least), most);
  if (!neighbourWidths) {
    const width = 0.2 * pow(Math.max(n, 1), -1 / (dimensions + 4)) * (high - low);
    return new Float64Array(n).fill(clip(width));
  }
  const order = Int32Array.from(centres, (_, i) => i).sort((i, j) => centres[i]! - centres[j]! || i - j);
  const widths = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const at = centres[order[k]!]!;
    const before = at - (k > 0 ? centres[order[k - 1]!]! : low);
    const after = (k < n - 1 ? centres[order[k + 1]!]! : high) - at;
    widths[order[k]!] = clip(neighbourGap(before, after, k === 0, k === n - 1, endpoints));
  }
  return widths;
}

/** How far a kernel reaches; the range's end is no neighbour of the first and last of several. */
export function neighbourGap(
  before: number,
  after: number,
  isFirst: boolean,
  isLast: boolean,
  endpoints: boolean,
): number {
  if (endpoints || isFirst === isLast) return Math.max(before, after);
  return isFirst ? after : before;
}
