import type { Event } from '../events/event.js';
import { numbersOf, snakeCase, vectorsOf } from '../events/shown-scores.js';

/** A number of a run at a step, by name. */
export type Scalar = readonly [name: string, value: number];

/**
 * The numbers of an event, as trackers show them: `train/loss`, `learning_rate/all`, `epoch/loss`, … Scores are
 * `<split>/<name>`, and by class `<split>_<name>/<class>`, with names in snake case; matrices are left out.
 *
 * @param classes the names of the classes, by the `run` event
 */
export function scalarsOf(event: Event, classes: readonly string[]): Scalar[] {
  if (event.type === 'step')
    return [
      ['train/loss', event.loss],
      ...(event.skipped ? [] : [['train/gradient_norm', event.gradientNorm] as const]),
      ...(event.lossScale === undefined ? [] : [['train/loss_scale', event.lossScale] as const]),
      ['train/images_per_second', event.imagesPerSecond],
      ...under('learning_rate', Object.entries(event.learningRate)),
    ];
  if (event.type === 'epoch')
    return [
      ['epoch/loss', event.loss],
      ['epoch/images_per_second', event.imagesPerSecond],
      ...(event.skipped === undefined ? [] : [['epoch/skipped_steps', event.skipped] as const]),
    ];
  if (event.type !== 'validation') return [];
  const { split, scores } = event;
  const byClass = (values: readonly (number | null)[]) =>
    values.flatMap((value, c): Scalar[] => (value === null ? [] : [[classes[c] ?? `class ${c}`, value]]));
  return [
    ...under(
      split,
      numbersOf(scores).map(([name, value]): Scalar => [snakeCase(name), value]),
    ),
    ...vectorsOf(scores).flatMap(([name, values]) => under(`${split}_${snakeCase(name)}`, byClass(values))),
  ];
}

function under(prefix: string, values: readonly Scalar[]): Scalar[] {
  return values.map(([name, value]) => [`${prefix}/${name}`, value]);
}
