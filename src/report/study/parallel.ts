import { maxOf, minOf } from '../../numeric/extremes.js';
import type { Plot } from '../render.js';
import { linearAxis, type ParallelAxis, parameterAxis, roundTicks } from './parallel-axis.js';
import type { ParamsOptions } from './slice.js';
import { axisValue, completeTrials, objectiveName, type StudyData, spaceOf } from './study-data.js';

/**
 * One line per trial through its value and all its parameters, each on its own axis; better trials are darker and drawn
 * on top. Trials that lack one of the parameters are left out.
 */
export function plotParallelCoordinates(
  data: StudyData,
  { params, objective = 0 }: ParamsOptions = {},
): Plot {
  const complete = completeTrials(data);
  const space = spaceOf(complete);
  const names = params ?? [...space.keys()];
  const sign = data.directions[objective] === 'maximize' ? 1 : -1;
  const trials = complete
    .filter((trial) => names.every((name) => Object.hasOwn(trial.params, name)))
    .map((trial) => ({ trial, value: trial.values![objective]! }))
    .sort((a, b) => sign * (a.value - b.value));
  const results = trials.map(({ value }) => value);
  const scale = { title: objectiveName(data, objective), least: minOf(results), most: maxOf(results) };
  const axes: ParallelAxis[] = [
    linearAxis(scale.title, scale.least, scale.most),
    ...names.map((name) => parameterAxis(name, space.get(name)!)),
  ];
  const lines = trials.flatMap(({ trial, value }) =>
    [value, ...names.map((name) => axisValue(trial, name))].map((at, i) => ({
      trial: trial.number,
      axis: i,
      at: axes[i]!.place(at),
      value,
    })),
  );
  return {
    title: { text: 'Parallel coordinates', subtitle: data.name, offset: 24 },
    width: Math.max(360, 120 * axes.length),
    height: 280,
    layer: [
      {
        data: { values: lines },
        mark: { type: 'line', strokeWidth: 1.2, opacity: 0.7 },
        encoding: { ...position(axes.length), detail: { field: 'trial' }, color: colour(scale, sign > 0) },
      },
      ...axisLayers(axes),
    ],
  };
}

/** Channels of the field `axis` across and of the field `at` upward. */
function position(axisCount: number) {
  const quantitative = { type: 'quantitative', axis: null };
  return {
    x: { field: 'axis', ...quantitative, scale: { domain: [0, axisCount - 1], padding: 44 } },
    y: { field: 'at', ...quantitative, scale: { domain: [0, 1] } },
  };
}

function colour(
  { title, least, most }: { readonly title: string; readonly least: number; readonly most: number },
  maximize: boolean,
) {
  return {
    field: 'value',
    type: 'quantitative',
    title: title.split(' '),
    scale: { scheme: 'blues', reverse: !maximize, domain: colourDomain(least, most, maximize) },
    legend: {
      values: least === most ? [least] : [least, ...roundTicks(least, most), most],
      labelExpr: "replace(format(datum.value, '.3~g'), 'e+', 'e')",
    },
  };
}

/** A domain that begins before the worst value, so that the palest line is still visible. */
function colourDomain(least: number, most: number, maximize: boolean): [number, number] {
  const margin = 0.3 * (most - least || 1);
  return maximize ? [least - margin, most] : [least, most + margin];
}

/** The axes themselves: their rules, their ticks with labels on a white outline, and their titles. */
function axisLayers(axes: readonly ParallelAxis[]) {
  const { x, y } = position(axes.length);
  const ticks = { values: axes.flatMap((axis, i) => axis.ticks.map((tick) => ({ axis: i, ...tick }))) };
  const label = { type: 'text', align: 'right', dx: -7, fontSize: 10 };
  return [
    {
      data: { values: axes.map((_, axis) => ({ axis, from: 0, to: 1 })) },
      mark: { type: 'rule', stroke: '#333' },
      encoding: { x, y: { ...y, field: 'from' }, y2: { field: 'to' } },
    },
    {
      data: ticks,
      mark: { type: 'tick', orient: 'horizontal', size: 7, thickness: 1, color: '#333' },
      encoding: { x, y },
    },
    {
      data: ticks,
      mark: { ...label, stroke: 'white', strokeWidth: 3 },
      encoding: { x, y, text: { field: 'label' } },
    },
    { data: ticks, mark: label, encoding: { x, y, text: { field: 'label' } } },
    {
      data: { values: axes.map(({ title: text }, axis) => ({ axis, text, at: 1 })) },
      mark: { type: 'text', dy: -14, fontSize: 12, limit: 116 },
      encoding: { x, y, text: { field: 'text' } },
    },
  ];
}
