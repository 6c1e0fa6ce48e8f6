import { freemem } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Observable } from 'rxjs';
import { throughTrunk } from '../../operators/through-trunk.js';
import { UserError } from '../base/errors.js';
import type { Batch } from '../data/batch.js';
import { fixedViews } from '../data/fixed-views.js';
import { caches } from '../data/images/caches.js';
import { memoryCache } from '../data/images/memory-cache.js';
import type { SampleCache } from '../data/images/sample-cache.js';
import { type TargetRow, targetBytes } from '../data/target-rows.js';
import type { BatchPlan, ImageItem, Splits } from '../data/types.js';
import type { AdaptableVit } from '../model/vit/adaptable-vit.js';
import { tokenShape } from '../model/vit/config.js';
import type { Task } from './task.js';

/** Settings of the cache of the trunk's output. */
export interface TrunkSettings {
  /** Where it is kept, in bfloat16. Default: nowhere, and the trunk runs in every step. */
  readonly trunkCache?: 'memory' | 'disk' | undefined;
  /** Where the trainings of one search share it, in float32. */
  readonly sharedTrunk?: SampleCache | undefined;
  /** The most that is kept. Default: 1 GiB in memory, 32 on disk. */
  readonly trunkCacheGib?: number | undefined;
  readonly cacheDir: string;
  /** How many augmented views of a picture take turns by epoch. Default: a new one in each, and 4 with `trunkCache`. */
  readonly views?: number | undefined;
  readonly augment: readonly string[];
  readonly mix?: readonly string[] | undefined;
  readonly scales?: readonly number[] | undefined;
}

/** A task on pictures, for its cache. */
export interface TrunkUse {
  readonly model: AdaptableVit;
  /** The targets of a sample. */
  readonly targets: TargetRow;
  /** What a sample is a function of beside its item, its plan and the settings of the trunk. */
  readonly kind: unknown;
}

/** How a task loads: augmented to train, as they are to be scored, and the latter in order. */
export interface Loads<I extends ImageItem, Target extends Tensor> {
  readonly augmented: (plan: BatchPlan<I>) => Observable<Batch<Tensor, Target>>;
  readonly asTheyAre: Loads<I, Target>['augmented'];
  readonly inOrder: (load: Loads<I, Target>['augmented']) => Task<I, Tensor, Tensor, Target>['inOrder'];
}

/** How many views of a picture take turns. */
export function viewsOf({ views, trunkCache, augment }: TrunkSettings): number | undefined {
  return views ?? (trunkCache && augments(augment) ? 4 : undefined);
}

/** Whether training pictures differ by epoch: the preset `none` changes nothing. */
const augments = (augment: readonly string[]): boolean => augment.some((name) => name !== 'none');

/** Whether a task loads through its trunk. */
export function cachesTrunk({ trunkCache, sharedTrunk }: TrunkSettings, model: AdaptableVit): boolean {
  return trunkCache !== undefined || (sharedTrunk !== undefined && model.trunkBlocks > 0);
}

/**
 * The memory in which the trials of a search share their trunk, where they may: it runs once for each batch of equal
 * samples, and the trials train the weights that they would alone. At most a quarter of the free memory.
 */
export function sharedTrunk({
  trunkCache,
  trunkCacheGib = 1,
  scales,
  mix = [],
}: TrunkSettings): SampleCache | undefined {
  if (trunkCache || scales || mix.length > 0) return undefined;
  return memoryCache({ maxBytes: Math.min(trunkCacheGib * 2 ** 30, freemem() / 4) });
}

/**
 * The loads of a task through its model's trunk, whose output is kept in the cache of the settings.
 *
 * @throws UserError where the model trains in its first block, and for batches of several sizes or of mixed samples.
 */
export function cachedTrunk<I extends ImageItem, Target extends Tensor>(
  settings: TrunkSettings,
  { model, targets, kind }: TrunkUse,
  { augmented, asTheyAre, inOrder }: Loads<I, Target>,
): Pick<Task<I, Tensor, Tensor, Target>, 'load' | 'inOrder'> {
  const { trunkCache, sharedTrunk, scales, mix = [], augment } = settings;
  const flag = `--trunk-cache ${trunkCache}`;
  if (scales) throw new UserError(`${flag}: expected one size of pictures, got --scales ${scales.join()}`);
  if (mix.length > 0)
    throw new UserError(
      `${flag}: expected samples of one picture each, got --mix ${mix.join()}; mixed samples are new in each epoch`,
    );
  if (model.trunkBlocks === 0)
    throw new UserError(
      `${flag}: expected blocks in which nothing trains, got a model that trains from its first block on, or whose head reads the pictures; adapt the upper ones alone, such as --layers ${upperHalf(model).join()}, or give --mode head`,
    );
  const cache = sharedTrunk ?? trunkCacheOf(settings);
  const exact = sharedTrunk !== undefined;
  const through = (load: typeof augmented, about: unknown, random: boolean) =>
    throughTrunk(model, load, { cache, exact, targets, random, kind: JSON.stringify([kind, about]) });
  const plain = through(asTheyAre, [], false);
  const train = augments(augment) ? through(augmented, augment, true) : plain;
  const views = viewsOf(settings);
  return { load: (plan) => train(fixedViews(plan, views)), inOrder: inOrder(plain) };
}

/** Caches by folder and bound, so that the trials of a search share what they can. */
const shared = new Map<string, SampleCache>();

function trunkCacheOf({ trunkCache, trunkCacheGib: gib, cacheDir }: TrunkSettings): SampleCache {
  const key = JSON.stringify([trunkCache, gib, cacheDir]);
  const cache =
    shared.get(key) ??
    caches.make(trunkCache!, join(cacheDir, 'trunk'), gib === undefined ? undefined : gib * 2 ** 30)!;
  shared.set(key, cache);
  return cache;
}

/** A line that says what the cache will take, and what it saves. */
export function trunkNote(
  settings: TrunkSettings,
  { model, targets }: Pick<TrunkUse, 'model' | 'targets'>,
  { train, validation, test }: Splits<ImageItem>,
): string {
  const { trunkCache, trunkCacheGib = trunkCache === 'disk' ? 32 : 1, augment } = settings;
  if (!trunkCache) return '';
  const { num_hidden_layers: all } = model.config;
  const [tokens, hidden] = tokenShape(model.config);
  const bytes = 2 * tokens * hidden + targetBytes(targets);
  const views = augments(augment) ? viewsOf(settings)! : 1;
  const others = validation.length + test.length;
  const gib = ((train.length * views + others) * bytes) / 2 ** 30;
  const room = gib > trunkCacheGib ? `, of which --trunk-cache-gib ${trunkCacheGib} keeps a part` : '';
  const where = trunkCache === 'disk' ? `on disk in ${join(settings.cacheDir, 'trunk')}` : 'in memory';
  return `trunk cache: ${model.trunkBlocks} of ${all} blocks run once for ${views} ${views === 1 ? 'view' : 'views'} of ${train.length} training pictures and ${others} others, ${gib.toFixed(2)} GiB ${where}${room}; then a step runs ${all - model.trunkBlocks} blocks\n`;
}

function upperHalf({ config: { num_hidden_layers: count } }: AdaptableVit): number[] {
  return [...Array(count).keys()].slice(Math.floor(count / 2));
}
