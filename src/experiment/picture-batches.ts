import type { Tensor } from '@tensorflow/tfjs-core';
import type { Observable } from 'rxjs';
import { prefetch } from '../../operators/prefetch.js';
import type { Batch } from '../data/batch.js';
import { batchPlans } from '../data/batch-plans.js';
import type { Transform } from '../data/images/augmentations/augmentation.js';
import { augmentations } from '../data/images/augmentations/augmentations.js';
import { checkMixer, type Mixer } from '../data/images/mixing/mixer.js';
import { mixers } from '../data/images/mixing/mixers.js';
import type { BatchPlan, ImageItem } from '../data/types.js';
import type { Task } from './task.js';

export interface PictureSettings {
  readonly augment: readonly string[];
  readonly mix?: readonly string[] | undefined;
  readonly batchSize: number;
  readonly randomSeed: number;
}

/** What is changed at random in pictures that train. */
export interface RandomChanges {
  readonly changes: readonly Transform[];
  readonly mix: readonly Mixer[];
}

const NONE: RandomChanges = { changes: [], mix: [] };

/**
 * The batches of a task on pictures: those that train are augmented and mixed by the settings, those in order are not.
 *
 * @param masked whether the pictures have masks
 * @throws UserError for a mixer that does not take pictures with masks, or without.
 */
export function pictureBatches<I extends ImageItem, Target extends Tensor>(
  { augment, mix = [], batchSize, randomSeed: seed }: PictureSettings,
  masked: boolean,
  load: (plan: BatchPlan<I>, random: RandomChanges) => Observable<Batch<Tensor, Target>>,
): Pick<Task<I, Tensor, Tensor, Target>, 'load' | 'inOrder'> {
  const random: RandomChanges = {
    changes: augment.map((name) => augmentations.make(name)),
    mix: mix.map((name) => mixers.make(name)),
  };
  for (const mixer of random.mix) checkMixer(mixer, masked, '--mix: ');
  const asTheyAre = (plan: BatchPlan<I>) => load(plan, NONE);
  return {
    load: (plan) => load(plan, random),
    inOrder: (items) => () =>
      prefetch(batchPlans(items, { batchSize, seed, shuffle: false }), asTheyAre, { ahead: 1 }),
  };
}
