import type { Tensor } from '@tensorflow/tfjs-core';
import { concatMap, lastValueFrom } from 'rxjs';
import { concatLease } from '../../operators/concat-lease.js';
import { prefetch } from '../../operators/prefetch.js';
import type { Tensors } from '../data/batch.js';
import type { Item } from '../data/types.js';
import type { Scores } from '../events/scores.js';
import { AdaptableVit } from '../model/vit/adaptable-vit.js';
import { AdapterStart } from '../model/vit/adapter-start.js';
import type { Run } from '../train/run.js';
import type { Task } from './task.js';

/** How many batches of the first epoch an adapter starts from. */
const BATCHES = 8;

/**
 * Starts a run's adapter from the first batches that the run trains on, where it asks for data; a run that was resumed has its
 * adapter from the checkpoint.
 */
export async function startAdapter<
  I extends Item,
  In extends Tensors,
  Out extends Tensors,
  Target extends Tensors,
  S extends Scores,
>(run: Run<In, Out, Target, S>, task: Task<I, In, Out, Target, S>): Promise<void> {
  const { model } = task;
  if (!(model instanceof AdaptableVit)) return;
  const start = new AdapterStart(model);
  if (!start.needed) return;
  const { load } = task.trunk ?? task;
  const plans = [];
  for (const plan of run.plans(task.splits.train, task.order)) {
    if (plans.length === Math.min(BATCHES, plan.batches)) break;
    plans.push(plan);
  }
  const batches$ = prefetch(plans, load, { ahead: 1 }).pipe(
    concatLease((batch$) => batch$.pipe(concatMap(({ inputs }) => start.add(inputs as unknown as Tensor)))),
  );
  await lastValueFrom(batches$, { defaultValue: undefined });
  start.finish();
}
