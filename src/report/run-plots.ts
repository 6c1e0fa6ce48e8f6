import type { Event, RunEvent, Scores } from '../events/event.js';
import type { Plot } from './render.js';

/** The plots of one run, by file name, as far as its events go. */
export function runPlots(events: readonly Event[]): Record<string, Plot> {
  const run = events.find((event): event is RunEvent => event.type === 'run');
  const classes = run?.classes ?? [];
  const steps = events.filter((event) => event.type === 'step');
  const epochs = events.filter((event) => event.type === 'epoch');
  const validations = events.filter((event) => event.type === 'validation');
  const held = validations.filter(({ split }) => split === 'validation');
  const final = validations.findLast(({ split }) => split === 'test') ?? held.at(-1);
  const x = {
    field: 'epoch',
    type: 'quantitative',
    title: 'Epoch',
    axis: { tickMinStep: 1, format: 'd' },
    scale: { nice: false },
  };
  const curve = (title: string, y: string, values: readonly object[], domain?: readonly number[]): Plot => ({
    title,
    width: 420,
    height: 260,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x,
      y: {
        field: 'value',
        type: 'quantitative',
        title: y,
        scale: { zero: false, ...(domain && { domain }) },
      },
      color: { field: 'series', type: 'nominal', title: null, sort: null },
    },
  });
  const plots: Record<string, Plot> = {};
  if (epochs.length > 0)
    plots['loss'] = curve('Loss', 'Loss', [
      ...epochs.map(({ epoch, loss }) => ({ epoch, value: loss, series: 'train' })),
      ...held.map(({ epoch, scores }) => ({ epoch, value: scores.loss, series: 'validation' })),
    ]);
  if (held.length > 0) {
    const series = (name: string, pick: (scores: Scores) => number) =>
      held.map(({ epoch, scores }) => ({ epoch, value: pick(scores), series: name }));
    plots['dice'] = curve('Validation scores', 'Score', [
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
    plots['learning-rate'] = {
      title: 'Learning rate',
      width: 420,
      height: 260,
      data: { values },
      mark: { type: 'line' },
      encoding: {
        x: { field: 'step', type: 'quantitative', title: 'Step', scale: { nice: false } },
        y: { field: 'value', type: 'quantitative', title: 'Learning rate', axis: { format: '.1e' } },
        color: { field: 'series', type: 'nominal', title: null },
      },
    };
  }
  if (final) {
    const name = (c: number) => classes[c] ?? `class ${c}`;
    plots['per-class'] = perClass(`Scores by class, ${final.split} split`, final.scores, name);
    plots['confusion'] = confusion(`Confusion matrix, ${final.split} split`, final.scores.confusion, name);
  }
  return plots;
}

function perClass(title: string, { dice, iou }: Scores, name: (c: number) => string): Plot {
  const values = Object.entries({ Dice: dice, IoU: iou }).flatMap(([score, by]) =>
    by.flatMap((value, c) => (value === null ? [] : [{ class: name(c), score, value }])),
  );
  const place = {
    x: { field: 'class', type: 'nominal', title: 'Class', sort: null, axis: { labelAngle: 0 } },
    xOffset: { field: 'score' },
    y: { field: 'value', type: 'quantitative', title: 'Score', scale: { domain: [0, 1] } },
  };
  return {
    title,
    width: 420,
    height: 260,
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

function confusion(title: string, counts: readonly (readonly number[])[], name: (c: number) => string): Plot {
  const values = counts.flatMap((row, t) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count, p) => ({
      target: name(t),
      prediction: name(p),
      share: total === 0 ? 0 : count / total,
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
        mark: 'rect',
        encoding: {
          color: {
            field: 'share',
            type: 'quantitative',
            title: 'Share of target',
            scale: { scheme: 'blues', domain: [0, 1] },
            legend: { format: '.0%' },
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 13 },
        encoding: {
          text: { field: 'share', format: '.1%' },
          color: { condition: { test: 'datum.share > 0.6', value: 'white' }, value: 'black' },
        },
      },
    ],
  };
}
