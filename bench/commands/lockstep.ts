import { from, lastValueFrom, type Observable } from 'rxjs';
import { z } from 'zod';
import { batch } from '../../operators/batch.js';
import { concatLease } from '../../operators/concat-lease.js';
import { decode } from '../../operators/decode.js';
import { imageMaskPairs } from '../../operators/image-mask-pairs.js';
import { lockstep } from '../../operators/lockstep.js';
import { normalize } from '../../operators/normalize.js';
import { prefetch } from '../../operators/prefetch.js';
import { trainStep } from '../../operators/train-step.js';
import { lora } from '../../src/adapters/lora.js';
import type { Batch } from '../../src/data/batch.js';
import { batchPlans } from '../../src/data/batch-plans.js';
import type { BatchPlan } from '../../src/data/types.js';
import { dataFlags, modelFlags } from '../../src/experiment/training-flags.js';
import { logCoshDice } from '../../src/tasks/segmentation/losses/log-cosh-dice.js';
import { loadSegmenter, type Segmenter } from '../../src/tasks/segmentation/segmenter.js';
import { adamW } from '../../src/train/optimizers/adam.js';
import { Run } from '../../src/train/run.js';
import { engineFlags } from '../bench-flags.js';
import { command } from '../command.js';
import { median } from '../measure.js';
import { rounded } from '../result.js';
import { startEngine } from '../setup.js';

export default command({
  description: 'trials on one stream of batches and one backbone, beside the same trials one after another',
  flags: {
    Data: { imageDir: dataFlags.imageDir, maskDir: dataFlags.maskDir, maskIds: dataFlags.maskIds },
    Model: { modelName: modelFlags.modelName },
    Engine: engineFlags,
    Measuring: {
      trials: z.int().min(2).default(4).describe('LoRA trials of different learning rates'),
      images: z.int().min(8).default(96).describe('pictures of the one epoch'),
      batch: z.int().min(1).default(8).describe('images in a step'),
      ahead: z.int().min(0).default(2).describe('batches that are loaded ahead'),
      rounds: z.int().min(1).default(5).describe('times that each way is taken, in turn'),
      json: z.boolean().default(false).describe('print one JSON object'),
    },
  },
  run: async (config) => {
    const engine = await startEngine(config);
    const { maskIds, trials, rounds } = config;
    const pairs = (await lastValueFrom(imageMaskPairs(config.imageDir, config.maskDir))).slice(
      0,
      config.images,
    );
    const head = { classes: maskIds.length, seed: 1 };
    let decoded = 0;
    const batches = ({ imageSize, normalization }: Segmenter) =>
      prefetch(
        batchPlans(pairs, { batchSize: config.batch, seed: 1 }),
        (plan: BatchPlan) => {
          decoded += plan.samples.length;
          return from(plan.samples).pipe(
            decode(imageSize, { ids: maskIds }),
            normalize(normalization),
            batch(plan),
          );
        },
        { ahead: config.ahead },
      );
    const trainingOf = (model: Segmenter, trial: number) =>
      new Run({
        model: model.inject(lora({ rank: 16 }), 1),
        loss: logCoshDice(),
        optimizer: adamW(),
        learningRate: 1e-3 / 2 ** trial,
        seed: 1,
        epochs: 1,
        batchSize: config.batch,
        classes: ['pet', 'background', 'border'],
      });
    const steps = (run: Run) => concatLease((batch$: Observable<Batch>) => batch$.pipe(trainStep(run)));
    const free = (run: Run) => {
      run.dispose();
      run.model.dispose();
    };
    const apart = async () => {
      for (let trial = 0; trial < trials; trial++) {
        const model = await loadSegmenter(config.modelName, head);
        const training = trainingOf(model, trial);
        await lastValueFrom(batches(model).pipe(steps(training)));
        free(training);
      }
    };
    const together = async () => {
      const first = await loadSegmenter(config.modelName, head);
      const models = [first, ...Array.from({ length: trials - 1 }, () => first.sibling(head))];
      const trainings = models.map(trainingOf);
      await lastValueFrom(batches(first).pipe(lockstep<Batch, unknown>(trainings.map(steps))));
      trainings.forEach(free);
    };
    const timedRun = async (run: () => Promise<void>) => {
      decoded = 0;
      const [start, before] = [performance.now(), process.cpuUsage()];
      await run();
      const { user, system } = process.cpuUsage(before);
      return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6, decoded };
    };
    await timedRun(together);
    const rows: Record<'apart' | 'together', { seconds: number; cpu: number; decoded: number }>[] = [];
    for (let round = 0; round < rounds; round++)
      rows.push({ apart: await timedRun(apart), together: await timedRun(together) });
    const ratios = rows.map((row) => row.apart.seconds / row.together.seconds).sort((a, b) => a - b);
    const of = (way: 'apart' | 'together', what: 'seconds' | 'cpu') =>
      rounded(median(rows.map((row) => row[way][what])));
    const result = {
      engine: engine.name,
      precision: engine.precision,
      trials,
      images: pairs.length,
      decoded_apart: rows[0]!.apart.decoded,
      decoded_together: rows[0]!.together.decoded,
      s_apart: of('apart', 'seconds'),
      s_together: of('together', 'seconds'),
      cpu_s_apart: of('apart', 'cpu'),
      cpu_s_together: of('together', 'cpu'),
      ratio: rounded(median(ratios)),
      ratio_range: [rounded(ratios[0]!), rounded(ratios.at(-1)!)],
    };
    process.stdout.write(
      config.json
        ? `${JSON.stringify(result)}\n`
        : [
            `${result.engine} ${result.precision}: ${trials} trials on ${pairs.length} pictures`,
            `apart      ${result.s_apart.toFixed(2)} s, ${result.cpu_s_apart.toFixed(2)} s of processor time, ${result.decoded_apart} pictures decoded`,
            `in lockstep ${result.s_together.toFixed(2)} s, ${result.cpu_s_together.toFixed(2)} s of processor time, ${result.decoded_together} pictures decoded`,
            `ratio of times ${result.ratio.toFixed(2)} [${result.ratio_range.map((ratio) => ratio.toFixed(2)).join(', ')}]`,
            '',
          ].join('\n'),
    );
  },
});
