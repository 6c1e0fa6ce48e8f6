import { isFeasible } from '../../study/trials/constraints.js';
import type { Plot } from '../render.js';
import { completeTrials, objectiveName, type StudyData } from './study-data.js';

/**
 * Each COMPLETE trial's value, and the best of the feasible ones so far as a line.
 *
 * @param objective which one, from 0, where there are several
 * @example
 * await writePlot('history', plotOptimizationHistory(await studyData(study)));
 */
export function plotOptimizationHistory(data: StudyData, { objective = 0 } = {}): Plot {
  const title = objectiveName(data, objective);
  const better = data.directions[objective] === 'maximize' ? Math.max : Math.min;
  let best: number | undefined;
  const values = completeTrials(data).map((trial) => {
    const value = trial.values![objective]!;
    const feasible = isFeasible(trial);
    if (feasible) best = best === undefined ? value : better(best, value);
    return {
      number: trial.number,
      value,
      best: best ?? null,
      kind: feasible ? 'trial' : 'violates constraints',
    };
  });
  const kinds = ['trial', 'violates constraints', 'best so far'].filter(
    (kind) => kind === 'best so far' || values.some((row) => row.kind === kind),
  );
  const colours = { trial: '#56B4E9', 'violates constraints': '#BBBBBB', 'best so far': '#D55E00' };
  const x = {
    field: 'number',
    type: 'quantitative',
    title: 'Trial',
    axis: { tickMinStep: 1, format: 'd' },
    scale: { nice: false, zero: false, padding: 8 },
  };
  const scale = { domain: kinds, range: kinds.map((kind) => colours[kind as keyof typeof colours]) };
  return {
    title: { text: 'Optimization history', subtitle: data.name },
    width: 460,
    height: 280,
    data: { values },
    layer: [
      {
        mark: { type: 'point', filled: true, opacity: 0.85 },
        encoding: {
          x,
          y: { field: 'value', type: 'quantitative', title, scale: { zero: false } },
          color: { field: 'kind', type: 'nominal', title: null, scale },
        },
      },
      {
        transform: [{ filter: 'isValid(datum.best)' }],
        mark: { type: 'line', interpolate: 'step-after' },
        encoding: {
          x,
          y: { field: 'best', type: 'quantitative', title },
          color: { datum: 'best so far', scale },
        },
      },
    ],
  };
}
