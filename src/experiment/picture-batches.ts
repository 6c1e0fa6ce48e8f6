import type { Tensor } from '@tensorflow/tfjs-core';
import type { Observable } from 'rxjs';
import { prefetch } from '../../operators/prefetch.js';
import type { Batch } from '../data/batch.js';
import { batchPlans } from '../data/batch-plans.js';
import type { Transform } from '../data/images/augmentations/augmentation.js';
import { augmentations } from '../data/images/augmentations/augmentations.js';
import type { BatchPlan, ImageItem } from '../data/types.js';
import type { Task } from './task.js';

export interface PictureSettings {
  readonly augment: readonly string[];
  readonly batchSize: number;
  readonly randomSeed: number;
}

/** The batches of a task on pictures: those that train are augmented by the settings, those in order are not. */
export function pictureBatches<I extends ImageItem, Target extends Tensor>(
  { augment, batchSize, randomSeed: seed }: PictureSettings,
  load: (plan: BatchPlan<I>, changes: readonly Transform[]) => Observable<Batch<Tensor, Target>>,
): Pick<Task<I, Tensor, Tensor, Target>, 'load' | 'inOrder'> {
  const changes = augment.map((name) => augmentations.make(name));
  const asTheyAre = (plan: BatchPlan<I>) => load(plan, []);
  return {
    load: (plan) => load(plan, changes),
    inOrder: (items) => () =>
      prefetch(batchPlans(items, { batchSize, seed, shuffle: false }), asTheyAre, { ahead: 1 }),
  };
}
