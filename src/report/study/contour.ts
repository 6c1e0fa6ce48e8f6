import { UserError } from '../../base/errors.js';
import { squareScale } from '../../numeric/extremes.js';
import { rankedImportances } from '../../study/importance/importance.js';
import type { Distribution } from '../../study/trials/distribution.js';
import type { FrozenTrial } from '../../study/trials/frozen-trial.js';
import type { Plot } from '../render.js';
import type { ParamsOptions } from './slice.js';
import {
  axisValue,
  completeTrials,
  objectiveName,
  paramChannel,
  type StudyData,
  shareOf,
  spaceOf,
  varyingParams,
} from './study-data.js';

/** Cells along a numeric axis. */
const CELLS = 72;
/** The lightest first. */
const BANDS = ['#f7fbff', '#deebf7', '#c6dbef', '#9ecae1', '#6baed6', '#4292c6', '#2171b5', '#08519c'];

/**
 * The value over two parameters at a time, smoothed over the trials (which are dots), in bands that hold an eighth of
 * the area each; darker is better. By default for the three most important parameters.
 *
 * @throws UserError when there are not two parameters that vary, or trials to show.
 */
export function plotContour(data: StudyData, { params, objective = 0 }: ParamsOptions = {}): Plot {
  const trials = completeTrials(data);
  const maximize = data.directions[objective] === 'maximize';
  const names = params ?? mostImportant(data, objective).slice(0, 3);
  if (names.length < 2 || trials.length === 0)
    throw new UserError(
      `contour: expected trials and two parameters that vary, got ${trials.length} trials and ${names.length}`,
    );
  const space = spaceOf(trials);
  const pairs = names.flatMap((x, i) => names.slice(i + 1).map((y) => [x, y] as const));
  const surfaces = pairs.map(([x, y]) => {
    const having = trials.filter((trial) => Object.hasOwn(trial.params, x) && Object.hasOwn(trial.params, y));
    const results = having.map((trial) => trial.values![objective]!);
    return { x, y, having, ...surface(having, results, axisOf(x, space), axisOf(y, space)) };
  });
  const levels = quantiles(surfaces.flatMap(({ rows }) => rows.flat()));
  const colours = maximize ? BANDS : BANDS.toReversed();
  const labels = colours.map((_, band) => labelOf(band, levels));
  const size = pairs.length === 1 ? 300 : 210;
  const panels = surfaces.map(({ x, y, having, rows, columns, lines }) => ({
    width: size,
    height: size,
    layer: [
      {
        data: {
          values: runs(rows, levels).map(({ row, from, to, band }) => ({
            ...columns(from, to),
            ...lines(row),
            band: labels[band],
          })),
        },
        // Stroked in its own colour, or light seams show between the cells.
        mark: { type: 'rect', stroke: { expr: "scale('color', datum.band)" }, strokeWidth: 0.8 },
        encoding: {
          ...place('x', x, space.get(x)!),
          ...place('y', y, space.get(y)!),
          color: {
            field: 'band',
            type: 'ordinal',
            title: objectiveName(data, objective).split(' '),
            sort: null,
            scale: { domain: labels, range: colours },
            legend: { symbolType: 'square', symbolStrokeWidth: 0 },
          },
        },
      },
      {
        data: { values: having.map((trial) => ({ px: axisValue(trial, x), py: axisValue(trial, y) })) },
        mark: {
          type: 'point',
          filled: true,
          size: 14,
          color: 'black',
          stroke: 'white',
          strokeWidth: 0.6,
          opacity: 1,
        },
        encoding: {
          x: tight(paramChannel(x, space.get(x)!, 'px')),
          y: tight(paramChannel(y, space.get(y)!, 'py')),
        },
      },
    ],
  }));
  return {
    title: { text: 'Value over pairs of parameters', subtitle: data.name },
    columns: 3,
    concat: panels,
  } as unknown as Plot;
}

/**
 * The parameters that all trials have and that vary: first those with a known importance, then those whose range
 * moves.
 */
function mostImportant(data: StudyData, objective: number): string[] {
  const trials = completeTrials(data);
  const names = new Set(varyingParams(trials));
  if (names.size < 2 || trials.length < 2) return [...names];
  const sign = data.directions[objective] === 'maximize' ? -1 : 1;
  const target = ({ values }: FrozenTrial) => sign * values![objective]!;
  const ranked = rankedImportances(trials, data.directions, { target }).map(([name]) => name);
  return [...new Set([...ranked.filter((name) => names.has(name)), ...names])];
}

/** An axis in cells: where a trial lies, from 0 to 1, each cell's middle, and the values at its edges. */
interface CellAxis {
  readonly place: (trial: FrozenTrial) => number;
  readonly middles: readonly number[];
  readonly edge: (cell: number) => number;
  readonly labels: readonly string[] | null;
}

function axisOf(name: string, space: ReadonlyMap<string, Distribution>): CellAxis {
  const distribution = space.get(name)!;
  const index = (trial: FrozenTrial) => trial.internalParams[name]!;
  if (distribution.name === 'CategoricalDistribution') {
    const count = distribution.choices.length;
    return {
      place: (trial) => (index(trial) + 0.5) / count,
      middles: distribution.choices.map((_, i) => (i + 0.5) / count),
      edge: (cell) => cell,
      labels: distribution.choices.map(String),
    };
  }
  const { low, high, log } = distribution;
  const [from, to] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const edge = (cell: number) => from + (to - from) * (cell / CELLS);
  return {
    place: (trial) => shareOf(log ? Math.log(index(trial)) : index(trial), from, to),
    middles: Array.from({ length: CELLS }, (_, i) => (i + 0.5) / CELLS),
    edge: (cell) => (log ? Math.exp(edge(cell)) : edge(cell)),
    labels: null,
  };
}

/** Each cell's value: the mean of all trials, near ones by a Gaussian, far from all by their inverse distance. */
function surface(trials: readonly FrozenTrial[], results: readonly number[], x: CellAxis, y: CellAxis) {
  const points = trials.map((trial) => [x.place(trial), y.place(trial)] as const);
  const width = 0.35 * trials.length ** (-1 / 4);
  const scale = squareScale(results);
  const at = (u: number, v: number) => {
    let [sum, weights] = [0, 0];
    points.forEach(([a, b], i) => {
      const distance = (u - a) ** 2 + (v - b) ** 2;
      const weight = Math.exp(-distance / (2 * width ** 2)) + 1e-6 / (distance + 1e-6);
      sum += weight * (results[i]! / scale);
      weights += weight;
    });
    return (sum / weights) * scale;
  };
  return {
    rows: y.middles.map((v) => x.middles.map((u) => at(u, v))),
    columns: (from: number, to: number) =>
      x.labels ? { x: x.labels[from] } : { x: x.edge(from), x2: x.edge(to) },
    lines: (row: number) => (y.labels ? { y: y.labels[row] } : { y: y.edge(row), y2: y.edge(row + 1) }),
    joins: x.labels === null,
  };
}

/** Neighbours of one band in a row are drawn as one. */
function runs(rows: readonly (readonly number[])[], levels: readonly number[]) {
  return rows.flatMap((row, r) => {
    const found: { row: number; from: number; to: number; band: number }[] = [];
    row.forEach((value, c) => {
      const band = levels.filter((level) => value >= level).length;
      const last = found.at(-1);
      if (row.length === CELLS && last?.band === band) last.to = c + 1;
      else found.push({ row: r, from: c, to: c + 1, band });
    });
    return found;
  });
}

function quantiles(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return BANDS.slice(1).map((_, i) => sorted[Math.floor(((i + 1) / BANDS.length) * sorted.length)]!);
}

function labelOf(band: number, levels: readonly number[]): string {
  const short = (value: number) => String(Number(value.toPrecision(3)));
  if (band === 0) return `< ${short(levels[0]!)}`;
  return band === levels.length
    ? `≥ ${short(levels.at(-1)!)}`
    : `${short(levels[band - 1]!)} – ${short(levels[band]!)}`;
}

function place(channel: 'x' | 'y', name: string, distribution: Distribution) {
  const encoding = { [channel]: tight(paramChannel(name, distribution, channel)) };
  return distribution.name === 'CategoricalDistribution'
    ? encoding
    : { ...encoding, [`${channel}2`]: { field: `${channel}2` } };
}

/** Without room around the range, which the cells fill; and without grid lines, which they hide. */
function tight(channel: object): object {
  const { scale, axis } = channel as { scale: object; axis: object };
  return { ...channel, scale: { ...scale, padding: 0 }, axis: { ...axis, grid: false, zindex: 1 } };
}
