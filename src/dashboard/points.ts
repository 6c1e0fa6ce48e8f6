import type { Event } from '../events/event.js';
import { meanOf } from '../events/metric.js';
import { numbersOf, vectorsOf } from '../events/shown-scores.js';

type Point = readonly [series: string, step: number, value: number];

/**
 * The points of an event, by the name of their series: of a step its loss, rates, pace and memory; of a validation its
 * scores, vectors by their mean.
 */
export function pointsOf(event: Event): Point[] {
  if (event.type === 'step') {
    const { step, data, memory } = event;
    return [
      ['loss', step, event.loss],
      ...Object.entries(event.learningRate).map(
        ([group, rate]): Point => [group === 'all' ? 'learning rate' : `learning rate/${group}`, step, rate],
      ),
      ['gradient norm', step, event.gradientNorm],
      ['images per second', step, event.imagesPerSecond],
      ...(data
        ? ([
            ['data wait', step, data.waitSeconds],
            ['look-ahead', step, data.ready],
          ] as Point[])
        : []),
      ...(memory
        ? ([
            ['memory/process', step, memory.process],
            ['memory/tensors', step, memory.tensors],
          ] as Point[])
        : []),
    ];
  }
  if (event.type !== 'validation') return [];
  const { split, step, scores } = event;
  const vectors = vectorsOf(scores).map(([name, values]) => [name, meanOf(values)] as const);
  return [...numbersOf(scores), ...vectors].map(([name, value]) => [`${split}/${name}`, step, value]);
}
