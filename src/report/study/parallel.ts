import { maxOf, minOf } from '../../numeric/extremes.js';
import type { Distribution } from '../../study/trials/distribution.js';
import type { Plot } from '../render.js';
import type { ParamsOptions } from './slice.js';
import { axisValue, completeTrials, objectiveName, type StudyData, shareOf, spaceOf } from './study-data.js';

interface Axis {
  readonly title: string;
  /** Where a value lies, from 0 below to 1 above. */
  readonly place: (value: number | string) => number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

/**
 * One line a trial through its value and all its parameters, each on its own axis; better trials are darker and lie on
 * top. Trials that lack one of the parameters are left out.
 */
export function plotParallelCoordinates(
  data: StudyData,
  { params, objective = 0 }: ParamsOptions = {},
): Plot {
  const space = spaceOf(completeTrials(data));
  const names = params ?? [...space.keys()];
  const trials = completeTrials(data).filter((trial) =>
    names.every((name) => Object.hasOwn(trial.params, name)),
  );
  const results = trials.map(({ values }) => values![objective]!);
  const [least, most] = [minOf(results), maxOf(results)];
  const maximize = data.directions[objective] === 'maximize';
  const title = objectiveName(data, objective);
  const axes: Axis[] = [linear(title, least, most), ...names.map((name) => axisOf(name, space.get(name)!))];
  const order = trials.toSorted(
    (a, b) => (maximize ? 1 : -1) * (a.values![objective]! - b.values![objective]!),
  );
  const lines = order.flatMap((trial) => {
    const value = trial.values![objective]!;
    const all = [value, ...names.map((name) => axisValue(trial, name))];
    return all.map((at, i) => ({ trial: trial.number, axis: i, at: axes[i]!.place(at), value }));
  });
  const x = {
    field: 'axis',
    type: 'quantitative',
    axis: null,
    scale: { domain: [0, axes.length - 1], padding: 44 },
  };
  const y = { field: 'at', type: 'quantitative', axis: null, scale: { domain: [0, 1] } };
  const ticks = axes.flatMap(({ ticks }, axis) => ticks.map((tick) => ({ axis, ...tick })));
  return {
    title: { text: 'Parallel coordinates', subtitle: data.name, offset: 24 },
    width: Math.max(360, 120 * axes.length),
    height: 280,
    layer: [
      {
        data: { values: lines },
        mark: { type: 'line', strokeWidth: 1.2, opacity: 0.7 },
        encoding: {
          x,
          y,
          detail: { field: 'trial' },
          color: {
            field: 'value',
            type: 'quantitative',
            title: wrapped(title),
            scale: { scheme: 'blues', reverse: !maximize, domain: faint(least, most, maximize) },
            legend: {
              values: legendTicks(least, most),
              labelExpr: "replace(format(datum.value, '.3~g'), 'e+', 'e')",
            },
          },
        },
      },
      {
        data: { values: axes.map((_, axis) => ({ axis, from: 0, to: 1 })) },
        mark: { type: 'rule', stroke: '#333' },
        encoding: { x, y: { ...y, field: 'from' }, y2: { field: 'to' } },
      },
      {
        data: { values: ticks },
        mark: { type: 'tick', orient: 'horizontal', size: 7, thickness: 1, color: '#333' },
        encoding: { x, y },
      },
      {
        data: { values: ticks },
        mark: { type: 'text', align: 'right', dx: -7, fontSize: 10, stroke: 'white', strokeWidth: 3 },
        encoding: { x, y, text: { field: 'label' } },
      },
      {
        data: { values: ticks },
        mark: { type: 'text', align: 'right', dx: -7, fontSize: 10 },
        encoding: { x, y, text: { field: 'label' } },
      },
      {
        data: { values: axes.map(({ title: text }, axis) => ({ axis, text, at: 1 })) },
        mark: { type: 'text', dy: -14, fontSize: 12, limit: 116 },
        encoding: { x, y, text: { field: 'text' } },
      },
    ],
  };
}

function axisOf(title: string, distribution: Distribution): Axis {
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
  if (!log) return linear(title, low, high);
  const place = (value: number | string) => shareOf(Math.log(value as number), Math.log(low), Math.log(high));
  const powers = [];
  for (let e = Math.ceil(Math.log10(low) - 1e-9); 10 ** e <= high * (1 + 1e-9); e++) powers.push(10 ** e);
  const every = Math.ceil(powers.length / 6);
  const shown = powers.length >= 2 ? powers.filter((_, i) => i % every === 0) : [low, high];
  return { title, place, ticks: shown.map((value) => ({ at: place(value), label: short(value) })) };
}

function linear(title: string, low: number, high: number): Axis {
  const place = (value: number | string) => shareOf(value as number, low, high);
  const shown = low === high ? [low] : [low, ...roundTicks(low, high), high];
  return { title, place, ticks: shown.map((value) => ({ at: place(value), label: short(value) })) };
}

/** Round numbers inside a range, away from its ends. */
function roundTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough)!;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push(k * step);
  return ticks.filter((tick) => tick - low > 0.08 * (high - low) && high - tick > 0.08 * (high - low));
}

function legendTicks(least: number, most: number): number[] {
  return least === most ? [least] : [least, ...roundTicks(least, most), most];
}

/** A colour domain that begins before the worst value, so that its line is still seen. */
function faint(least: number, most: number, maximize: boolean): [number, number] {
  const more = 0.3 * (most - least || 1);
  return maximize ? [least - more, most] : [least, most + more];
}

function short(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5))
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  return String(Number(value.toPrecision(3)));
}

function wrapped(title: string): string[] {
  return title.split(' ');
}
