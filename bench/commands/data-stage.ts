import {
  concatMap,
  defer,
  from,
  ignoreElements,
  lastValueFrom,
  map,
  type Observable,
  of,
  tap,
  timer,
  toArray,
} from 'rxjs';
import { z } from 'zod';
import { augment } from '../../operators/augment.js';
import { batch } from '../../operators/batch.js';
import { concatLease } from '../../operators/concat-lease.js';
import { decode } from '../../operators/decode.js';
import { IMAGENET, normalize } from '../../operators/normalize.js';
import { prefetch } from '../../operators/prefetch.js';
import { batchPlans } from '../../src/data/batch-plans.js';
import { augmentations } from '../../src/data/images/augmentations/augmentations.js';
import { memoryCache } from '../../src/data/images/memory-cache.js';
import { loadNotes } from '../../src/data/load-notes.js';
import { imageCode } from '../../src/data/pixels/addon.js';
import type { BatchPlan } from '../../src/data/types.js';
import { command } from '../command.js';
import { dataStages, stageFlags, stagePairs } from '../data-stages.js';
import { peakRss } from '../measure.js';
import { rounded } from '../result.js';
import { startEngine } from '../setup.js';
import { watchLoop } from '../watch-loop.js';

/** Passes are made for so many ms before they are timed: V8 compiles what runs often only then. */
const WARM_UP = 1000;

export default command({
  description: 'one stage of the data pipeline alone, as `data versus` runs it',
  flags: {
    Data: stageFlags,
    Stage: {
      stage: z.enum(dataStages).default('decode').describe('what is measured'),
      mode: z.enum(['exact', 'fast']).default('exact').describe('how JPEGs are decoded'),
      passes: z.int().min(1).default(2).describe('timed passes, after a second of them that warms up'),
      pace: z
        .number()
        .gt(0)
        .optional()
        .describe(
          'images a second of a pretended training step that only waits; default: as fast as they come',
        ),
      json: z.boolean().default(false).describe('print one JSON object'),
    },
  },
  run: async ({ stage, mode, passes, pace, imageSize, batchSize, json, ...data }) => {
    await startEngine({ engine: 'auto' });
    const pairs = await stagePairs(data);
    const cache = stage === 'cached' ? memoryCache() : undefined;
    const changes = ['flip', 'rotate', 'crop', 'color'].map((name) => augmentations.make(name));
    const decoded = ({ samples }: BatchPlan) =>
      from(samples).pipe(decode(imageSize, { ids: data.maskIds, mode, cache }));
    const load = (plan: BatchPlan): Observable<{ dispose(): void }> =>
      stage === 'decode'
        ? decoded(plan).pipe(
            toArray(),
            map(() => ({ dispose: () => {} })),
          )
        : decoded(plan).pipe(augment(...changes), normalize(IMAGENET), batch(plan));
    let waitSeconds = 0;
    const step = pace === undefined ? of(0) : timer((1000 * batchSize) / pace);
    const pass = (epochs: number) =>
      defer(() => prefetch(batchPlans(pairs, { batchSize, seed: 1, epochs }), load, { ahead: 4 })).pipe(
        concatLease((batch$) =>
          batch$.pipe(
            tap((loaded) => {
              waitSeconds += loadNotes(loaded)!.waitSeconds;
            }),
            concatMap(() => step),
          ),
        ),
        ignoreElements(),
      );
    for (const until = performance.now() + WARM_UP; performance.now() < until; )
      await lastValueFrom(pass(1), { defaultValue: undefined });
    waitSeconds = 0;
    const held = watchLoop();
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    await lastValueFrom(pass(passes), { defaultValue: undefined });
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const { ms, workMs = ms } = held();
    const count = pairs.length * passes;
    const result = {
      code: imageCode(),
      stage,
      mode,
      s_per_step: rounded(seconds / count),
      images_per_s: rounded(count / seconds),
      wait_share: rounded(waitSeconds / seconds),
      cpu_ms_per_image: rounded((user + system) / 1000 / count),
      loop_ms: rounded(ms),
      loop_work_ms: rounded(workMs),
      peak_rss_mb: rounded(peakRss()),
    };
    process.stdout.write(
      json
        ? `${JSON.stringify(result)}\n`
        : `${result.images_per_s.toFixed(1)} images/s, ${result.cpu_ms_per_image.toFixed(2)} ms of processor time an image, ${(100 * result.wait_share).toFixed(1)} % of the time waited for data, event loop held for ${result.loop_ms.toFixed(1)} ms at most, ${result.loop_work_ms.toFixed(1)} by its own work (${result.code})\n`,
    );
  },
});
