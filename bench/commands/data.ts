import { concatMap, from, ignoreElements, lastValueFrom, type Observable, tap } from 'rxjs';
import { z } from 'zod';
import { augment } from '../../operators/augment.js';
import { batch } from '../../operators/batch.js';
import { decode } from '../../operators/decode.js';
import { imageMaskPairs } from '../../operators/image-mask-pairs.js';
import { normalize } from '../../operators/normalize.js';
import { batchPlans } from '../../src/data/batch-plans.js';
import { augmentations } from '../../src/data/images/augmentations/augmentations.js';
import { memoryCache } from '../../src/data/images/memory-cache.js';
import type { BatchPlan } from '../../src/data/types.js';
import { dataFlags } from '../../src/experiment/data-flags.js';
import { command } from '../command.js';
import { rounded } from '../result.js';
import { startEngine } from '../setup.js';

export default command({
  description: 'images a second that are decoded, augmented, batched, and served from the cache',
  flags: {
    Data: {
      imageDir: dataFlags.imageDir,
      maskDir: dataFlags.maskDir,
      list: dataFlags.list,
      maskIds: dataFlags.maskIds,
    },
    Bench: {
      imageSize: z.int().min(1).default(224).describe('height and width after the resize'),
      batchSize: z.int().min(1).default(8).describe('images per batch'),
      images: z.int().min(1).default(100).describe('how many of them, where there are as many'),
      json: z.boolean().default(false).describe('print one JSON object'),
    },
  },
  run: async ({ imageDir, maskDir, list, maskIds: ids, imageSize, batchSize, images, json }) => {
    await startEngine({ engine: 'auto' });
    const pairs = (await lastValueFrom(imageMaskPairs(imageDir, maskDir, { lists: list }))).slice(0, images);
    const plans = [...batchPlans(pairs, { batchSize, seed: 1 })];
    const changes = ['flip', 'rotate', 'crop', 'color'].map((name) => augmentations.make(name));
    const cache = memoryCache();
    const decoded = ({ samples }: BatchPlan) => from(samples).pipe(decode(imageSize, { ids }));
    const batched = (plan: BatchPlan) =>
      from(plan.samples).pipe(
        decode(imageSize, { ids, cache }),
        augment(...changes),
        normalize({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }),
        batch(plan),
        tap((value) => value.dispose()),
      );
    const stages: readonly (readonly [string, (plan: BatchPlan) => Observable<unknown>])[] = [
      ['decode', decoded],
      ['decode, augment', (plan) => decoded(plan).pipe(augment(...changes))],
      ['batches, first epoch', batched],
      ['batches, from the cache', batched],
    ];

    const rows: { stage: string; images_per_s: number }[] = [];
    for (const [stage, load] of stages) {
      const start = performance.now();
      const all$ = from(plans).pipe(concatMap(load), ignoreElements());
      await lastValueFrom(all$, { defaultValue: undefined });
      rows.push({ stage, images_per_s: rounded((1000 * pairs.length) / (performance.now() - start)) });
    }
    if (json) process.stdout.write(`${JSON.stringify({ images: pairs.length, imageSize, rows })}\n`);
    else
      for (const { stage, images_per_s } of rows)
        process.stdout.write(`${stage.padEnd(26)} ${images_per_s.toFixed(1)} images/s\n`);
  },
});
