import { paretoFront } from '../../study/trials/best-trials.js';
import { isFeasible } from '../../study/trials/constraints.js';
import type { Plot } from '../render.js';
import { completeTrials, objectiveName, type StudyData } from './study-data.js';

const COLOURS = { 'Pareto front': '#D55E00', 'other trials': '#56B4E9', 'violates constraints': '#BBBBBB' };

/** Every trial's values, one objective against another, and which of them are best; a panel for each pair. */
export function plotParetoFront(data: StudyData): Plot {
  const trials = completeTrials(data);
  const front = new Set(paretoFront(trials, data.directions));
  const rows = trials.map((trial) => ({
    ...Object.fromEntries(trial.values!.map((value, i) => [`o${i}`, value])),
    kind: front.has(trial) ? 'Pareto front' : isFeasible(trial) ? 'other trials' : 'violates constraints',
  }));
  const kinds = Object.keys(COLOURS).filter((kind) => rows.some((row) => row.kind === kind));
  const pairs = data.directions.flatMap((_, x) =>
    [...data.directions.keys()].slice(x + 1).map((y) => [x, y] as const),
  );
  const axis = (objective: number) => ({
    field: `o${objective}`,
    type: 'quantitative',
    title: `${objectiveName(data, objective)} (${data.directions[objective]})`,
    scale: { zero: false, padding: 8 },
    axis: { tickCount: 6 },
  });
  const panel = ([x, y]: readonly [number, number]) => ({
    width: pairs.length === 1 ? 420 : 260,
    height: pairs.length === 1 ? 300 : 220,
    // The front lies on top.
    data: { values: rows.toSorted((a, b) => kinds.indexOf(b.kind) - kinds.indexOf(a.kind)) },
    mark: { type: 'point', filled: true, opacity: 0.85 },
    encoding: {
      x: axis(x),
      y: axis(y),
      color: {
        field: 'kind',
        type: 'nominal',
        title: null,
        scale: { domain: kinds, range: kinds.map((kind) => COLOURS[kind as keyof typeof COLOURS]) },
      },
      size: { condition: { test: "datum.kind === 'Pareto front'", value: 55 }, value: 28 },
    },
  });
  const title = { text: 'Pareto front', subtitle: data.name };
  return (pairs.length === 1
    ? { title, ...panel(pairs[0]!) }
    : { title, columns: 3, concat: pairs.map(panel) }) as unknown as Plot;
}
