import { bestTrial } from '../../study/trials/best-trials.js';
import type { Plot } from '../render.js';
import { objectiveName, type StudyData } from './study-data.js';

const COLOURS = {
  best: '#D55E00',
  COMPLETE: '#0072B2',
  PRUNED: '#999999',
  FAIL: '#000000',
  RUNNING: '#009E73',
};

/** The intermediate values of each trial by step: one line a trial, the best one on top. */
export function plotIntermediateValues(data: StudyData): Plot {
  const best = data.directions.length === 1 ? bestTrial(data.trials, data.directions) : undefined;
  const values = data.trials.flatMap((trial) =>
    [...trial.intermediateValues]
      .filter(([, value]) => Number.isFinite(value))
      .map(([step, value]) => ({
        number: trial.number,
        step,
        value,
        state: trial === best ? 'best' : trial.state,
      })),
  );
  const states = Object.keys(COLOURS).filter((state) => values.some((row) => row.state === state));
  const counts = new Map<number, number>();
  for (const { number } of values) counts.set(number, (counts.get(number) ?? 0) + 1);
  const single = [...counts].filter(([, count]) => count === 1).map(([number]) => number);
  const encoding = {
    x: {
      field: 'step',
      type: 'quantitative',
      title: 'Step',
      axis: { tickMinStep: 1, format: 'd' },
      scale: { nice: false, zero: false, padding: 8 },
    },
    y: {
      field: 'value',
      type: 'quantitative',
      title: `Intermediate ${objectiveName(data, 0).replace(/^O/, 'o')}`,
      scale: { zero: false },
    },
    color: {
      field: 'state',
      type: 'nominal',
      title: null,
      scale: { domain: states, range: states.map((state) => COLOURS[state as keyof typeof COLOURS]) },
      legend: { labelExpr: "datum.label === 'best' ? 'best' : lower(datum.label)", symbolOpacity: 1 },
    },
    detail: { field: 'number' },
  };
  return {
    title: { text: 'Intermediate values', subtitle: data.name },
    width: 460,
    height: 280,
    data: { values },
    layer: [
      {
        transform: [{ filter: "datum.state !== 'best'" }],
        mark: { type: 'line', strokeWidth: 1.3, opacity: 0.6 },
        encoding,
      },
      // A line of one point shows nothing.
      {
        transform: [{ filter: { field: 'number', oneOf: single } }],
        mark: { type: 'point', opacity: 0.7, size: 25 },
        encoding,
      },
      {
        transform: [{ filter: "datum.state === 'best'" }],
        mark: { type: 'line', strokeWidth: 2.6, point: true },
        encoding,
      },
    ],
  };
}
