import type { Event, RunEvent } from '../events/event.js';
import {
  type SegmentationScores,
  segmentationScores,
} from '../tasks/segmentation/metrics/segmentation-scores.js';
import type { Plot } from './render.js';

const WIDTH = 420;
const HEIGHT = 260;

/** Points are drawn on curves of at most so many. */
const MARKED = 60;

/** Learning rates as 1e-3 and 0, where d3's own format writes 1.0e-3 and 0.0e+0. */
const EXPONENT = "datum.value === 0 ? '0' : format(datum.value, '~e')";

/** The plots of one run, by file name, as far as its events go. */
export function runPlots(events: readonly Event[]): Record<string, Plot> {
  const run = events.find((event): event is RunEvent => event.type === 'run');
  const classes = run?.classes ?? [];
  const steps = events.filter((event) => event.type === 'step');
  const epochs = events.filter((event) => event.type === 'epoch');
  const validations = events.filter((event) => event.type === 'validation');
  const held = validations.filter(({ split }) => split === 'validation');
  const final = validations.findLast(({ split }) => split === 'test') ?? held.at(-1);
  const titled = (text: string) => (run ? { text, subtitle: run.run } : text);
  const plots: Record<string, Plot> = {};
  if (epochs.length > 0)
    plots['loss'] = curves(titled('Loss'), 'Loss', [
      ...epochs.map(({ epoch, loss }) => ({ epoch, value: loss, series: 'train' })),
      ...held.map(({ epoch, scores }) => ({ epoch, value: scores.loss, series: 'validation' })),
    ]);
  if (held.length > 0) {
    const series = (name: string, pick: (scores: SegmentationScores) => number) =>
      held.map(({ epoch, scores }) => ({ epoch, value: pick(segmentationScores(scores)), series: name }));
    plots['dice'] = curves(titled('Validation scores'), 'Score', [
      ...series('soft Dice', ({ softDice }) => softDice),
      ...series('soft IoU', ({ softIou }) => softIou),
      ...series('mIoU', ({ miou }) => miou),
    ]);
  }
  if (steps.length > 0) {
    const every = Math.ceil(steps.length / 500);
    const values = steps
      .filter((_, i) => i % every === 0 || i === steps.length - 1)
      .flatMap(({ step, learningRate }) =>
        Object.entries(learningRate).map(([series, value]) => ({ step, value, series })),
      );
    const several = new Set(values.map(({ series }) => series)).size > 1;
    const group = { field: 'series', type: 'nominal', ...(several ? { title: null } : { legend: null }) };
    plots['learning-rate'] = {
      title: titled('Learning rate'),
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
  if (final) {
    const name = (c: number) => classes[c] ?? `class ${c}`;
    plots['per-class'] = perClass(
      titled(`Scores by class, ${final.split} split`),
      segmentationScores(final.scores),
      name,
    );
    plots['confusion'] = confusion(
      titled(`Confusion matrix, ${final.split} split`),
      segmentationScores(final.scores).confusion,
      name,
    );
  }
  return plots;
}

type Title = string | { readonly text: string; readonly subtitle: string };

/** Curves over epochs; series differ in the shape of their points too, for print without colour. */
function curves(
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

function perClass(title: Title, { dice, iou }: SegmentationScores, name: (c: number) => string): Plot {
  const values = Object.entries({ Dice: dice, IoU: iou }).flatMap(([score, by]) =>
    by.flatMap((value, c) => (value === null ? [] : [{ class: name(c), score, value }])),
  );
  const place = {
    x: {
      field: 'class',
      type: 'nominal',
      title: 'Class',
      axis: { labelAngle: 0 },
      scale: { domain: dice.map((_, c) => name(c)) },
    },
    xOffset: { field: 'score' },
    y: { field: 'value', type: 'quantitative', title: 'Score', scale: { domain: [0, 1] } },
  };
  return {
    title,
    width: Math.max(WIDTH, 90 * dice.length),
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

/** Rows add up to 100 %; a row without a pixel is left empty. */
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
