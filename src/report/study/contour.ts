import { UserError } from '../../base/errors.js';
import { rankedImportances } from '../../study/importance/importance.js';
import type { Distribution, SearchSpace } from '../../study/trials/distribution.js';
import type { FrozenTrial } from '../../study/trials/frozen-trial.js';
import type { Plot } from '../render.js';
import { bandRuns, type ContourSurface, contourSurface } from './contour-surface.js';
import type { ParamsOptions } from './slice.js';
import {
  axisValue,
  completeTrials,
  objectiveName,
  paramChannel,
  type StudyData,
  spaceOf,
  varyingParams,
} from './study-data.js';

/** The colours of the bands, lightest first. */
const BANDS = ['#f7fbff', '#deebf7', '#c6dbef', '#9ecae1', '#6baed6', '#4292c6', '#2171b5', '#08519c'];

/**
 * The value over two parameters at a time, smoothed over the trials (drawn as dots), in bands that cover an eighth of
 * the area each; darker is better. By default for the three most important parameters.
 *
 * @throws UserError when there is no trial to show, or fewer than two parameters vary.
 */
export function plotContour(data: StudyData, { params, objective = 0 }: ParamsOptions = {}): Plot {
  const trials = completeTrials(data);
  const names = params ?? mostImportant(data, objective).slice(0, 3);
  if (names.length < 2 || trials.length === 0)
    throw new UserError(
      `contour: expected trials and two parameters that vary, got ${trials.length} trials and ${names.length}`,
    );
  const space = spaceOf(trials);
  const pairs = names.flatMap((x, i) => names.slice(i + 1).map((y) => [x, y] as const));
  const panels = pairs.map((pair) => panelOf(pair, trials, objective, space));
  const levels = quantiles(panels.flatMap(({ surface }) => surface.rows.flat()));
  const colours = data.directions[objective] === 'maximize' ? BANDS : BANDS.toReversed();
  const labels = colours.map((_, band) => labelOf(band, levels));
  const color = {
    field: 'band',
    type: 'ordinal',
    title: objectiveName(data, objective).split(' '),
    sort: null,
    scale: { domain: labels, range: colours },
    legend: { symbolType: 'square', symbolStrokeWidth: 0 },
  };
  const size = pairs.length === 1 ? 300 : 210;
  return {
    title: { text: 'Value over pairs of parameters', subtitle: data.name },
    columns: 3,
    concat: panels.map((panel) => ({
      width: size,
      height: size,
      layer: [cellLayer(panel, space, color, levels, labels), trialLayer(panel, space)],
    })),
  } as unknown as Plot;
}

/** What one panel shows: the surface over a pair of parameters, and the trials that have both. */
interface Panel {
  readonly x: string;
  readonly y: string;
  readonly trials: readonly FrozenTrial[];
  readonly surface: ContourSurface;
}

function panelOf(
  pair: readonly [string, string],
  trials: readonly FrozenTrial[],
  objective: number,
  space: SearchSpace,
): Panel {
  const [x, y] = pair;
  const both = trials.filter(({ params }) => Object.hasOwn(params, x) && Object.hasOwn(params, y));
  const results = both.map(({ values }) => values![objective]!);
  return { x, y, trials: both, surface: contourSurface(both, results, pair, space) };
}

function cellLayer(
  { x, y, surface: { rows, columns, lines } }: Panel,
  space: SearchSpace,
  color: object,
  levels: readonly number[],
  labels: readonly string[],
) {
  return {
    data: {
      values: bandRuns(rows, levels).map(({ row, from, to, band }) => ({
        ...columns(from, to),
        ...lines(row),
        band: labels[band],
      })),
    },
    // The stroke has the cell's own colour, or light seams show between cells.
    mark: { type: 'rect', stroke: { expr: "scale('color', datum.band)" }, strokeWidth: 0.8 },
    encoding: { ...cellChannels('x', x, space.get(x)!), ...cellChannels('y', y, space.get(y)!), color },
  };
}

function trialLayer({ x, y, trials }: Panel, space: SearchSpace) {
  return {
    data: { values: trials.map((trial) => ({ px: axisValue(trial, x), py: axisValue(trial, y) })) },
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
  };
}

/** The parameters that all trials have and that vary: those of known importance first, then those whose range moves. */
function mostImportant(data: StudyData, objective: number): string[] {
  const trials = completeTrials(data);
  const names = new Set(varyingParams(trials));
  if (names.size < 2 || trials.length < 2) return [...names];
  const sign = data.directions[objective] === 'maximize' ? -1 : 1;
  const target = ({ values }: FrozenTrial) => sign * values![objective]!;
  const ranked = rankedImportances(trials, data.directions, { target }).map(([name]) => name);
  return [...new Set([...ranked.filter((name) => names.has(name)), ...names])];
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

/** The channels of a cell along one axis: its edges on a numeric axis, its label on one of choices. */
function cellChannels(channel: 'x' | 'y', name: string, distribution: Distribution) {
  const encoding = { [channel]: tight(paramChannel(name, distribution, channel)) };
  return distribution.name === 'CategoricalDistribution'
    ? encoding
    : { ...encoding, [`${channel}2`]: { field: `${channel}2` } };
}

/** A channel without padding, as cells fill the range, and without grid lines, which they would hide. */
function tight(channel: object): object {
  const { scale, axis } = channel as { scale: object; axis: object };
  return { ...channel, scale: { ...scale, padding: 0 }, axis: { ...axis, grid: false, zindex: 1 } };
}
