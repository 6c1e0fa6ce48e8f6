import type { Plot } from '../render.js';
import {
  axisValue,
  completeTrials,
  objectiveName,
  paramChannel,
  type StudyData,
  spaceOf,
} from './study-data.js';

/** Options of the plots over parameters. */
export interface ParamsOptions {
  /** Names of parameters; by default all. */
  readonly params?: readonly string[];
  /** The index of the objective, from 0. */
  readonly objective?: number;
}

/** The value against each parameter, one panel each; later trials are darker. */
export function plotSlice(data: StudyData, { params, objective = 0 }: ParamsOptions = {}): Plot {
  const trials = completeTrials(data);
  const space = spaceOf(trials);
  const names = params ?? [...space.keys()];
  const last = Math.max(0, trials.at(-1)?.number ?? 0);
  const panels = names.map((name, i) => ({
    width: 200,
    height: 180,
    data: {
      values: trials
        .filter((trial) => Object.hasOwn(trial.params, name))
        .map((trial) => ({
          param: axisValue(trial, name),
          value: trial.values![objective],
          number: trial.number,
        })),
    },
    mark: { type: 'circle', size: 36, opacity: 0.85, stroke: '#555', strokeWidth: 0.3 },
    encoding: {
      x: paramChannel(name, space.get(name)!, 'param'),
      y: {
        field: 'value',
        type: 'quantitative',
        title: i % 3 === 0 ? objectiveName(data, objective) : null,
        scale: { zero: false },
      },
      color: {
        field: 'number',
        type: 'quantitative',
        title: 'Trial',
        scale: { scheme: 'blues', domain: [-0.25 * last, last] },
        legend: { format: 'd', values: ticks(last) },
      },
    },
  }));
  return {
    title: { text: 'Value by parameter', subtitle: data.name },
    columns: 3,
    concat: panels,
  } as unknown as Plot;
}

/** Five round places from 0 to the last trial. */
function ticks(last: number): number[] {
  return [...new Set([0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * last)))];
}
