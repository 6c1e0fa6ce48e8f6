import type { Event, RunEvent, StepEvent, ValidationEvent } from '../events/event.js';
import {
  aboutScore,
  columnOf,
  leadingScores,
  matricesOf,
  numberOf,
  snakeCase,
  vectorsOf,
} from '../events/shown-scores.js';
import type { Plot } from './render.js';

const WIDTH = 420;
const HEIGHT = 260;

/** The most points of a curve whose points are drawn. */
const MARKED = 60;

/** Learning rates as 1e-3 and 0, where d3's own format writes 1.0e-3 and 0.0e+0. */
const EXPONENT = "datum.value === 0 ? '0' : format(datum.value, '~e')";

/** The plots of one run, by file name, as far as its events allow. */
export function runPlots(events: readonly Event[]): Record<string, Plot> {
  const run = events.find((event): event is RunEvent => event.type === 'run');
  const steps = events.filter((event) => event.type === 'step');
  const epochs = events.filter((event) => event.type === 'epoch');
  const validations = events.filter((event) => event.type === 'validation');
  const validationOnly = validations.filter(({ split }) => split === 'validation');
  const final = validations.findLast(({ split }) => split === 'test') ?? validationOnly.at(-1);
  const titled = (text: string) => (run ? { text, subtitle: run.run } : text);
  const plots: Record<string, Plot> = {};
  if (epochs.length > 0)
    plots['loss'] = curves(titled('Loss'), 'Loss', [
      ...epochs.map(({ epoch, loss }) => ({ epoch, value: loss, series: 'train' })),
      ...validationOnly.map(({ epoch, scores }) => ({ epoch, value: scores.loss, series: 'validation' })),
    ]);
  const leading = leadingScores(validationOnly[0]?.scores ?? {});
  const series = (name: string) =>
    validationOnly.map(({ epoch, scores }) => ({
      epoch,
      value: numberOf(scores, name),
      series: aboutScore(name).label,
    }));
  if (leading.length > 0)
    plots[columnOf(leading[0]!)] = curves(titled('Validation scores'), 'Score', leading.flatMap(series));
  if (steps.length > 0) plots['learning-rate'] = learningRates(titled('Learning rate'), steps);
  if (final) Object.assign(plots, classPlots(final, run?.classes ?? [], titled));
  return plots;
}

/** The scores by class, and a confusion matrix for each matrix. */
function classPlots(
  { split, scores }: ValidationEvent,
  classes: readonly string[],
  titled: (text: string) => Title,
): Record<string, Plot> {
  const name = (c: number) => classes[c] ?? `class ${c}`;
  const vectors = vectorsOf(scores);
  const plots: Record<string, Plot> = {};
  if (vectors.length > 0)
    plots['per-class'] = perClass(titled(`Scores by class, ${split} split`), vectors, name);
  for (const [matrix, counts] of matricesOf(scores)) {
    const words = snakeCase(matrix).replaceAll('_', ' ');
    const title = `${words[0]!.toUpperCase()}${words.slice(1)} matrix, ${split} split`;
    plots[columnOf(matrix)] = confusion(titled(title), counts, name);
  }
  return plots;
}

function learningRates(title: Title, steps: readonly StepEvent[]): Plot {
  const every = Math.ceil(steps.length / 500);
  const values = steps
    .filter((_, i) => i % every === 0 || i === steps.length - 1)
    .flatMap(({ step, learningRate }) =>
      Object.entries(learningRate).map(([series, value]) => ({ step, value, series })),
    );
  const several = new Set(values.map(({ series }) => series)).size > 1;
  const group = { field: 'series', type: 'nominal', ...(several ? { title: null } : { legend: null }) };
  return {
    title,
    width: WIDTH,
    height: HEIGHT,
    data: { values },
    mark: { type: 'line' },
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        title: 'Step',
        axis: { tickMinStep: 1, format: 'd', labelFlush: false, tickCount: 8 },
        scale: { nice: false, zero: false, padding: 8 },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        title: 'Learning rate',
        axis: { labelExpr: EXPONENT, tickCount: 6 },
      },
      color: group,
      strokeDash: group,
    },
  };
}

type Title = string | { readonly text: string; readonly subtitle: string };

/** Curves over epochs; series also differ in the shape of their points, for print without colour. */
export function curves(
  title: Title,
  y: string,
  values: readonly { readonly epoch: number; readonly value: number; readonly series: string }[],
): Plot {
  const epochs = new Set(values.map(({ epoch }) => epoch)).size;
  return {
    title,
    width: WIDTH,
    height: HEIGHT,
    data: { values },
    mark: { type: 'line', point: epochs <= MARKED },
    encoding: {
      x: {
        field: 'epoch',
        type: 'quantitative',
        title: 'Epoch',
        axis: { tickMinStep: 1, format: 'd', labelFlush: false },
        scale: { nice: false, zero: false, padding: 12 },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        title: y,
        axis: { tickCount: 6 },
        scale: { zero: false, nice: 6 },
      },
      color: { field: 'series', type: 'nominal', title: null, sort: null },
      ...(epochs <= MARKED && { shape: { field: 'series', type: 'nominal', title: null, sort: null } }),
    },
  };
}

function perClass(title: Title, vectors: ReturnType<typeof vectorsOf>, name: (c: number) => string): Plot {
  const values = vectors.flatMap(([score, by]) => {
    const { label, ofClass = label } = aboutScore(score);
    return by.flatMap((value, c) => (value === null ? [] : [{ class: name(c), score: ofClass, value }]));
  });
  const classes = vectors[0]![1].map((_, c) => name(c));
  const shares = values.every(({ value }) => value >= 0 && value <= 1);
  const place = {
    x: {
      field: 'class',
      type: 'nominal',
      title: 'Class',
      axis: { labelAngle: 0 },
      scale: { domain: classes },
    },
    xOffset: { field: 'score' },
    y: { field: 'value', type: 'quantitative', title: 'Score', ...(shares && { scale: { domain: [0, 1] } }) },
  };
  return {
    title,
    width: Math.max(WIDTH, 90 * classes.length),
    height: HEIGHT,
    data: { values },
    layer: [
      { mark: 'bar', encoding: { ...place, color: { field: 'score', type: 'nominal', title: null } } },
      {
        mark: { type: 'text', dy: -7, fontSize: 11 },
        encoding: { ...place, text: { field: 'value', format: '.3f' } },
      },
    ],
  };
}

/** Rows add up to 100 %; a row without a count is left empty. */
function confusion(title: Title, counts: readonly (readonly number[])[], name: (c: number) => string): Plot {
  const values = counts.flatMap((row, t) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count, p) => ({
      target: name(t),
      prediction: name(p),
      share: total === 0 ? null : count / total,
    }));
  });
  const place = {
    x: { field: 'prediction', type: 'nominal', title: 'Prediction', sort: null, axis: { labelAngle: 0 } },
    y: { field: 'target', type: 'nominal', title: 'Target', sort: null },
  };
  return {
    title,
    width: Math.max(240, 90 * counts.length),
    height: Math.max(200, 70 * counts.length),
    data: { values },
    encoding: place,
    layer: [
      {
        mark: { type: 'rect', invalid: 'filter' },
        encoding: {
          color: {
            field: 'share',
            type: 'quantitative',
            title: 'Share of target',
            scale: { scheme: 'blues', domain: [0, 1] },
            legend: { format: '.0%', gradientLength: 160 },
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 13 },
        encoding: {
          text: { condition: { test: 'datum.share === null', value: '–' }, field: 'share', format: '.1%' },
          color: { condition: { test: 'datum.share > 0.6', value: 'white' }, value: 'black' },
        },
      },
    ],
  };
}
