import type { Tensor } from '@tensorflow/tfjs-core';
import type { Observable } from 'rxjs';
import { prefetch } from '../../operators/prefetch.js';
import type { Batch } from '../data/batch.js';
import { batchPlans } from '../data/batch-plans.js';
import { fixedViews } from '../data/fixed-views.js';
import type { Transform } from '../data/images/augmentations/augmentation.js';
import { augmentations } from '../data/images/augmentations/augmentations.js';
import { caches } from '../data/images/caches.js';
import type { DecodeMode } from '../data/images/decode-natively.js';
import type { Size } from '../data/images/image-size.js';
import { checkMixer, type Mixer } from '../data/images/mixing/mixer.js';
import { mixers } from '../data/images/mixing/mixers.js';
import type { SampleCache } from '../data/images/sample-cache.js';
import { drawnSize, scaledSizes } from '../data/images/scales.js';
import type { BatchPlan, ImageItem } from '../data/types.js';
import { cachedTrunk, cachesTrunk, type TrunkSettings, type TrunkUse, viewsOf } from './cached-trunk.js';
import { checkDeepSettings, type PixelSettings } from './pixel-format-of.js';
import type { Task } from './task.js';

/** The cache of the settings. */
export interface CacheSettings {
  readonly cache: string;
  readonly cacheDir: string;
  /** The most that it keeps. */
  readonly cacheGib?: number | undefined;
}

export interface PictureSettings extends CacheSettings, TrunkSettings, PixelSettings {
  /** How JPEGs are decoded. Default exact. */
  readonly decode?: DecodeMode | undefined;
  readonly batchSize: number;
  readonly randomSeed: number;
}

/** What is random about pictures that train. */
export interface RandomChanges {
  readonly changes: readonly Transform[];
  readonly mix: readonly Mixer[];
  /** The size of the batch. */
  readonly size: Size;
}

/**
 * The batches of a task on pictures: those that train are augmented, mixed and scaled by the settings, those in order
 * are not. With `trunkCache` there are both once more, as the output of the model's trunk.
 *
 * @throws UserError for a mixer that does not take pictures with masks, or without; for a trunk that cannot be cached; for
 *   what needs RGB of 8 bits where pictures are others.
 */
export function pictureBatches<I extends ImageItem, Target extends Tensor>(
  settings: PictureSettings,
  { masked, ...use }: TrunkUse & { readonly masked: boolean },
  load: (plan: BatchPlan<I>, random: RandomChanges) => Observable<Batch<Tensor, Target>>,
): Pick<Task<I, Tensor, Tensor, Target>, 'load' | 'inOrder' | 'trunk'> {
  const { augment, mix: mixed = [], scales, batchSize, randomSeed: seed } = settings;
  const { model } = use;
  const changes = augment.map((name) => augmentations.make(name));
  checkDeepSettings(settings, changes, augment);
  const mix = mixed.map((name) => mixers.make(name));
  for (const mixer of mix) checkMixer(mixer, masked, '--mix: ');
  const own = model.imageSize;
  const sizes = scales ? scaledSizes(own, model.config.patch_size, scales) : [own];
  if (scales) model.takes(sizes);
  const asTheyAre = (plan: BatchPlan<I>) => load(plan, { changes: [], mix: [], size: own });
  const views = viewsOf(settings);
  const augmented = (plan: BatchPlan<I>) =>
    load(plan, { changes, mix, size: scales ? drawnSize(plan, sizes) : own });
  const inOrder = (one: typeof asTheyAre) => (items: readonly I[]) => () =>
    prefetch(batchPlans(items, { batchSize, seed, shuffle: false }), one, { ahead: 1 });
  return {
    load: (plan) => augmented(fixedViews(plan, views)),
    inOrder: inOrder(asTheyAre),
    ...(cachesTrunk(settings, model) && {
      trunk: cachedTrunk(settings, use, { augmented, asTheyAre, inOrder }),
    }),
  };
}

/** The cache that the settings name. */
export function cacheOf({ cache, cacheDir, cacheGib: gib }: CacheSettings): SampleCache | undefined {
  return caches.make(cache, cacheDir, gib === undefined ? undefined : gib * 2 ** 30);
}
