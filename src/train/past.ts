import { createHash } from 'node:crypto';
import { engineInUse } from '../engine/engine.js';
import { stateNumbers, stateTensors } from './optimizers/state-tree.js';
import type { Training } from './training.js';

/** The part of a run that its past is read from. */
export interface PastOf {
  readonly epochs: number;
  /** Batches in an epoch. */
  readonly batches: number;
  readonly training: Pick<Training, 'rates' | 'schedule' | 'seed' | 'state' | 'lossScaling'>;
}

/**
 * What a run has become by the end of each of its epochs, as digests: two runs with the same digest have the same weights,
 * optimiser and scores there, whatever they do later.
 *
 * A digest is of `kind`, the engine, the seed, the loss scaling, the shape of the optimiser's state, and the learning rates of all steps so
 * far by the parameter groups that they moved. A schedule that follows scores says nothing of its steps beforehand: then
 * `kind` must hold all that it depends on, and the base rates.
 *
 * @param kind what a run is a function of beside its rates (data, model, adapter, loss, optimiser, …), as JSON
 */
export function pastOf({ epochs, batches, training }: PastOf, kind: unknown): string[] {
  const { state, schedule, seed, lossScaling } = training;
  const shapes = [...stateTensors(state)].map(([name, { shape }]) => [name, shape]);
  const { name, precision } = engineInUse();
  const about = [kind, name, precision, seed, batches, shapes, Object.keys(stateNumbers(state)), lossScaling];
  const hash = createHash('sha256').update(JSON.stringify(about));
  return Array.from({ length: epochs }, (_, epoch) => {
    for (let step = epoch * batches; step < (epoch + 1) * batches; step++)
      hash.update(schedule.observe ? `${step}` : JSON.stringify(training.rates(step)));
    return hash.copy().digest('hex');
  });
}
