import { isDeepStrictEqual } from 'node:util';
import {
  aboutScore,
  columnOf,
  leadingScores,
  numberOf,
  numbersOf,
  vectorsOf,
} from '../events/shown-scores.js';
import type { Cell, Row } from '../files/tables.js';
import type { Plot } from '../report/render.js';
import { curves } from '../report/run-plots.js';
import { rangeOf, sparkline } from '../report/sparkline.js';
import { settingsOf } from './run-fields.js';
import type { RunOverview } from './run-overview.js';

/** The settings in which runs differ, a row each and a column a run; a setting that a run lacks is empty. */
export function differingSettings(runs: readonly RunOverview[]): Row[] {
  const settings = runs.map((run) => ({
    ...settingsOf(run),
    engine: run.engine,
    precision: run.precision,
    ...Object.fromEntries(
      Object.entries(run.versions).map(([name, version]) => [`version of ${name}`, version]),
    ),
  }));
  const names = [...new Set(settings.flatMap((one) => Object.keys(one)))];
  return names
    .map((name) => ({ name, values: settings.map((one) => (one as Record<string, unknown>)[name] ?? null) }))
    .filter(({ values }) => values.some((value) => !isDeepStrictEqual(value, values[0])))
    .map(({ name, values }) => row('setting', name, runs, values.map(settingText)));
}

/** The scores of runs on their last split side by side, by class too; of two runs their difference as well. */
export function comparedScoreRows(runs: readonly RunOverview[]): Row[] {
  const cells = runs.map(cellsOf);
  const names = [...new Set(cells.flatMap((one) => [...one.keys()]))];
  return names.map((name) => {
    const values = cells.map((one) => one.get(name) ?? null);
    const [a = null, b = null] = values;
    const change = a === null || b === null ? null : `${b < a ? '' : '+'}${(b - a).toFixed(4)}`;
    const shown = values.map((value) => value?.toFixed(4) ?? null);
    return { ...row('score', name, runs, shown), ...(runs.length === 2 && { difference: change }) };
  });
}

/** A curve of a run over its epochs. */
export interface RunCurve {
  readonly run: string;
  readonly points: readonly { readonly epoch: number; readonly value: number }[];
}

/** The curves of runs by name, as in file names: losses, and the leading scores of the validation split. */
export function comparedCurves(
  runs: readonly RunOverview[],
): Record<string, { readonly title: string; readonly axis: string; readonly runs: RunCurve[] }> {
  const validations = ({ events }: RunOverview) =>
    events
      .filter((event) => event.type === 'validation' && event.split === 'validation')
      .filter((event) => event.type === 'validation');
  const curve = (title: string, axis: string, points: (run: RunOverview) => RunCurve['points']) => ({
    title,
    axis,
    runs: columns(runs).map((name, i) => ({ run: name, points: points(runs[i]!) })),
  });
  const scores = [...new Set(runs.flatMap((run) => leadingScores(validations(run)[0]?.scores ?? {})))];
  const all = {
    'train-loss': curve('Training loss', 'Loss', ({ events }) =>
      events.filter((event) => event.type === 'epoch').map(({ epoch, loss }) => ({ epoch, value: loss })),
    ),
    'validation-loss': curve('Validation loss', 'Loss', (run) =>
      validations(run).map(({ epoch, scores: { loss } }) => ({ epoch, value: loss })),
    ),
    ...Object.fromEntries(
      scores.map((score) => [
        columnOf(score),
        curve(`Validation ${aboutScore(score).label}`, aboutScore(score).label, (run) =>
          validations(run).flatMap(({ epoch, scores }) =>
            score in scores ? [{ epoch, value: numberOf(scores, score) }] : [],
          ),
        ),
      ]),
    ),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, { runs }]) => runs.some(({ points }) => points.length > 0)),
  );
}

/** The curves for a terminal: a line each, over one range, with the first and the last value. */
export function sparklines(compared: ReturnType<typeof comparedCurves>): Row[] {
  return Object.values(compared).flatMap(({ title, runs }) => {
    const values = runs.map(({ points }) => points.map(({ value }) => value));
    const range = rangeOf(values.flat());
    return runs.map(({ run }, i): Row => {
      const own = values[i]!;
      const text = own.length === 0 ? null : `${own[0]!.toFixed(4)} → ${own.at(-1)!.toFixed(4)}`;
      return { curve: i === 0 ? title : '', run, 'first → last': text, shape: sparkline(own, { range }) };
    });
  });
}

/** The curves as plots, a series for each run. */
export function comparedPlots(compared: ReturnType<typeof comparedCurves>): Record<string, Plot> {
  const plots = Object.entries(compared).map(([name, { title, axis, runs }]) => {
    const values = runs.flatMap(({ run, points }) => points.map((point) => ({ ...point, series: run })));
    return [name, curves(title, axis, values)];
  });
  return Object.fromEntries(plots);
}

function cellsOf({ split, scores, classes }: RunOverview): Map<string, number> {
  const numbers = numbersOf(scores).map(([name, value]): [string, number] => [aboutScore(name).label, value]);
  const byClass = vectorsOf(scores).flatMap(([name, values]) => {
    const { label, ofClass = label } = aboutScore(name);
    return values.flatMap((value, c): [string, number][] =>
      value === null ? [] : [[`${ofClass}, ${classes[c] ?? `class ${c}`}`, value]],
    );
  });
  return new Map([...numbers, ...byClass].map(([name, value]) => [`${split} ${name}`, value]));
}

function row(what: string, name: string, runs: readonly RunOverview[], cells: readonly Cell[]): Row {
  return { [what]: name, ...Object.fromEntries(columns(runs).map((column, i) => [column, cells[i]!])) };
}

/** The names of runs; of several of one name, with their places. */
function columns(runs: readonly RunOverview[]): string[] {
  return runs.map(({ name }, i) =>
    runs.some((other, k) => k !== i && other.name === name) ? `${name} (${i + 1})` : name,
  );
}

function settingText(value: unknown): Cell {
  if (value === null || typeof value === 'string') return value;
  return Array.isArray(value) && !value.some((one) => one instanceof Object)
    ? value.join()
    : JSON.stringify(value);
}
