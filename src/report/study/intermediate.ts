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

/** The intermediate values of each trial by step: one line per trial, the best one on top. */
export function plotIntermediateValues(data: StudyData): Plot {
  const values = reports(data);
  const encoding = encodingOf(values, `Intermediate ${objectiveName(data, 0).replace(/^O/, 'o')}`);
  return {
    title: { text: 'Intermediate values', subtitle: data.name },
    width: 460,
    height: 280,
    data: { values },
    layer: layersOf(values).map((layer) => ({ ...layer, encoding })),
  };
}

/** The lines, and what makes those of one point visible; Vega complains of a layer without data. */
function layersOf(values: readonly Report[]) {
  const single = trialsOfOneReport(values);
  const others = {
    transform: [{ filter: "datum.state !== 'best'" }],
    mark: { type: 'line', strokeWidth: 1.3, opacity: 0.6 },
  };
  const points = {
    transform: [{ filter: { field: 'number', oneOf: single } }],
    mark: { type: 'point', opacity: 0.7, size: 25 },
  };
  const best = {
    transform: [{ filter: "datum.state === 'best'" }],
    mark: { type: 'line', strokeWidth: 2.6, point: true },
  };
  return [
    ...(values.some(({ state }) => state !== 'best') ? [others] : []),
    ...(single.length > 0 ? [points] : []),
    ...(values.some(({ state }) => state === 'best') ? [best] : []),
  ];
}

/** A row per report: an intermediate value of a trial. */
interface Report {
  readonly number: number;
  readonly step: number;
  readonly value: number;
  /** The trial's state, or `best`. */
  readonly state: string;
}

function reports({ trials, directions }: StudyData): Report[] {
  const best = directions.length === 1 ? bestTrial(trials, directions) : undefined;
  return trials.flatMap((trial) =>
    [...trial.intermediateValues]
      .filter(([, value]) => Number.isFinite(value))
      .map(([step, value]) => ({
        number: trial.number,
        step,
        value,
        state: trial === best ? 'best' : trial.state,
      })),
  );
}

function trialsOfOneReport(reports: readonly Report[]): number[] {
  const counts = new Map<number, number>();
  for (const { number } of reports) counts.set(number, (counts.get(number) ?? 0) + 1);
  return [...counts].filter(([, count]) => count === 1).map(([number]) => number);
}

function encodingOf(reports: readonly Report[], title: string) {
  const states = Object.keys(COLOURS).filter((state) => reports.some((row) => row.state === state));
  return {
    x: {
      field: 'step',
      type: 'quantitative',
      title: 'Step',
      axis: { tickMinStep: 1, format: 'd' },
      scale: { nice: false, zero: false, padding: 8 },
    },
    y: { field: 'value', type: 'quantitative', title, scale: { zero: false } },
    color: {
      field: 'state',
      type: 'nominal',
      title: null,
      scale: { domain: states, range: states.map((state) => COLOURS[state as keyof typeof COLOURS]) },
      legend: { labelExpr: "datum.label === 'best' ? 'best' : lower(datum.label)", symbolOpacity: 1 },
    },
    detail: { field: 'number' },
  };
}
