import type { Distribution } from '../../study/trials/distribution.js';
import { shareOf } from './study-data.js';

/** A vertical axis of a parallel-coordinates plot. */
export interface ParallelAxis {
  readonly title: string;
  /** The height of a value, from 0 (bottom) to 1 (top). */
  readonly place: (value: number | string) => number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

/** The axis of a parameter: its choices, or its range on a linear or a logarithmic scale. */
export function parameterAxis(title: string, distribution: Distribution): ParallelAxis {
  if (distribution.name === 'CategoricalDistribution') {
    const labels = distribution.choices.map(String);
    const at = (i: number) => (labels.length === 1 ? 0.5 : i / (labels.length - 1));
    return {
      title,
      place: (value) => at(labels.indexOf(value as string)),
      ticks: labels.map((label, i) => ({ at: at(i), label })),
    };
  }
  const { low, high, log } = distribution;
  return log ? logAxis(title, low, high) : linearAxis(title, low, high);
}

function logAxis(title: string, low: number, high: number): ParallelAxis {
  const place = (value: number | string) => shareOf(Math.log(value as number), Math.log(low), Math.log(high));
  const powers = [];
  for (let e = Math.ceil(Math.log10(low) - 1e-9); 10 ** e <= high * (1 + 1e-9); e++) powers.push(10 ** e);
  const every = Math.ceil(powers.length / 6);
  const tickValues = powers.length >= 2 ? powers.filter((_, i) => i % every === 0) : [low, high];
  return { title, place, ticks: tickValues.map((value) => ({ at: place(value), label: short(value) })) };
}

/** A linear axis with ticks at both ends and at round numbers between them. */
export function linearAxis(title: string, low: number, high: number): ParallelAxis {
  const place = (value: number | string) => shareOf(value as number, low, high);
  const tickValues = low === high ? [low] : [low, ...roundTicks(low, high), high];
  return { title, place, ticks: tickValues.map((value) => ({ at: place(value), label: short(value) })) };
}

/** Round numbers inside a range, away from its ends. */
export function roundTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough)!;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push(k * step);
  return ticks.filter((tick) => tick - low > 0.08 * (high - low) && high - tick > 0.08 * (high - low));
}

function short(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5))
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  return String(Number(value.toPrecision(3)));
}
