import type { Tensor } from '@tensorflow/tfjs-core';
import { from, lastValueFrom, merge, type Observable } from 'rxjs';
import { z } from 'zod';
import { batch } from '../../operators/batch.js';
import { concatLease } from '../../operators/concat-lease.js';
import { decode } from '../../operators/decode.js';
import { imageMaskPairs } from '../../operators/image-mask-pairs.js';
import type { Lease } from '../../operators/lease.js';
import { lockstep } from '../../operators/lockstep.js';
import { normalize } from '../../operators/normalize.js';
import { prefetch } from '../../operators/prefetch.js';
import { throughTrunk } from '../../operators/through-trunk.js';
import { trainStep } from '../../operators/train-step.js';
import { lora } from '../../src/adapters/lora.js';
import type { Config } from '../../src/cli/flag.js';
import type { Batch } from '../../src/data/batch.js';
import { batchPlans } from '../../src/data/batch-plans.js';
import { memoryCache } from '../../src/data/images/memory-cache.js';
import type { SampleCache } from '../../src/data/images/sample-cache.js';
import type { BatchPlan, Pair } from '../../src/data/types.js';
import { dataFlags } from '../../src/experiment/data-flags.js';
import { modelFlags } from '../../src/experiment/training-flags.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';
import { logCoshDice } from '../../src/tasks/segmentation/losses/log-cosh-dice.js';
import { classCount } from '../../src/tasks/segmentation/mask-ids.js';
import { type Segmenter } from '../../src/tasks/segmentation/segmenter.js';
import { adamW } from '../../src/train/optimizers/adam.js';
import { Run } from '../../src/train/run.js';
import { engineFlags } from '../bench-flags.js';
import { command } from '../command.js';
import { median } from '../measure.js';
import { rounded } from '../result.js';
import { startEngine } from '../setup.js';

const flags = {
  Data: { imageDir: dataFlags.imageDir, maskDir: dataFlags.maskDir, maskIds: dataFlags.maskIds },
  Model: { modelName: modelFlags.modelName },
  Engine: engineFlags,
  Measuring: {
    trials: z.int().min(2).default(4).describe('LoRA trials of different learning rates'),
    layers: z
      .array(z.int().min(0))
      .optional()
      .describe('blocks with LoRA; together, the trials then share the blocks below; default: all'),
    images: z.int().min(8).default(96).describe('pictures in the one epoch'),
    batch: z.int().min(1).default(8).describe('images per step'),
    ahead: z.int().min(0).default(2).describe('batches loaded ahead'),
    rounds: z.int().min(1).default(5).describe('repetitions of each way, in turn'),
    json: z.boolean().default(false).describe('print one JSON object'),
  },
};

type Settings = Config<typeof flags>;
type Way = 'apart' | 'together';

/** What one way of training all trials cost. */
interface Cost {
  readonly seconds: number;
  readonly cpu: number;
  readonly decoded: number;
}

export default command({
  description:
    'trials on one stream of batches, one backbone and one trunk, beside the same trials one by one',
  flags,
  run: async (settings) => {
    const engine = await startEngine(settings);
    const { imageDir, maskDir, images, trials, rounds } = settings;
    const pairs = (await lastValueFrom(imageMaskPairs(imageDir, maskDir))).slice(0, images);
    await cost(settings, pairs, trainTogether);
    const rows: Record<Way, Cost>[] = [];
    for (let round = 0; round < rounds; round++)
      rows.push({
        apart: await cost(settings, pairs, trainApart),
        together: await cost(settings, pairs, trainTogether),
      });
    const summary = { engine: engine.name, precision: engine.precision, trials, images: pairs.length };
    const result = { ...summary, ...compare(rows) };
    process.stdout.write(settings.json ? `${JSON.stringify(result)}\n` : textOf(result));
  },
});

/** Runs all trials in one of the ways, and measures it. */
async function cost(
  settings: Settings,
  pairs: readonly Pair[],
  train: (settings: Settings, batches: Batches) => Promise<void>,
): Promise<Cost> {
  let decoded = 0;
  const batches: Batches = (model, cache) => {
    const { imageSize, normalization } = model;
    const load = (plan: BatchPlan) => {
      decoded += plan.samples.length;
      return from(plan.samples).pipe(
        decode(imageSize, { ids: settings.maskIds }),
        normalize(normalization),
        batch(plan),
      );
    };
    const targets = { shape: [imageSize.height, imageSize.width] };
    const through = cache
      ? throughTrunk<Pair, Tensor>(model, load, { cache, exact: true, targets, kind: 'pictures' })
      : load;
    const plans = batchPlans(pairs, { batchSize: settings.batch, seed: 1 });
    return prefetch(plans, through, { ahead: settings.ahead });
  };
  const [start, before] = [performance.now(), process.cpuUsage()];
  await train(settings, batches);
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6, decoded };
}

/** One epoch of leased batches as a model takes them: pictures, or what its trunk makes of them, kept in `cache`. */
type Batches = (model: Segmenter, cache?: SampleCache) => Observable<Lease<Batch<Tensor>>>;

async function trainApart(settings: Settings, batches: Batches): Promise<void> {
  for (let trial = 0; trial < settings.trials; trial++) {
    const model = await loadSegmenter(settings.modelName, headOf(settings));
    const run = runOf(settings, model, trial);
    await lastValueFrom(batches(model).pipe(steps(run)));
    free(run);
  }
}

async function trainTogether(settings: Settings, batches: Batches): Promise<void> {
  const first = await loadSegmenter(settings.modelName, headOf(settings));
  const siblings = Array.from({ length: settings.trials - 1 }, () => first.sibling(headOf(settings)));
  const models = [first, ...siblings];
  const runs = models.map((model, trial) => runOf(settings, model, trial));
  if (!settings.layers)
    await lastValueFrom(batches(first).pipe(lockstep<Batch<Tensor>, unknown>(runs.map(steps))));
  else {
    const cache = memoryCache();
    await lastValueFrom(merge(...runs.map((run, i) => batches(models[i]!, cache).pipe(steps(run)))));
  }
  runs.forEach(free);
}

function headOf({ maskIds }: Settings) {
  return { classes: classCount(maskIds), seed: 1 };
}

function runOf({ batch: batchSize, layers }: Settings, model: Segmenter, trial: number): Run {
  return new Run({
    model: model.inject(lora({ rank: 16, ...(layers && { layers }) }), 1),
    loss: logCoshDice(),
    optimizer: adamW(),
    learningRate: 1e-3 / 2 ** trial,
    seed: 1,
    epochs: 1,
    batchSize,
    classes: ['pet', 'background', 'border'],
  });
}

function steps(run: Run) {
  return concatLease((batch$: Observable<Batch<Tensor>>) => batch$.pipe(trainStep(run)));
}

function free(run: Run): void {
  run.dispose();
  run.model.dispose();
}

function compare(rows: readonly Record<Way, Cost>[]) {
  const ratios = rows.map(({ apart, together }) => apart.seconds / together.seconds).sort((a, b) => a - b);
  const medianOf = (way: Way, measure: 'seconds' | 'cpu') =>
    rounded(median(rows.map((row) => row[way][measure])));
  return {
    decoded_apart: rows[0]!.apart.decoded,
    decoded_together: rows[0]!.together.decoded,
    s_apart: medianOf('apart', 'seconds'),
    s_together: medianOf('together', 'seconds'),
    cpu_s_apart: medianOf('apart', 'cpu'),
    cpu_s_together: medianOf('together', 'cpu'),
    ratio: rounded(median(ratios)),
    ratio_range: [rounded(ratios[0]!), rounded(ratios.at(-1)!)],
  };
}

function textOf(
  result: ReturnType<typeof compare> &
    Readonly<Record<'engine' | 'precision', string>> & {
      readonly trials: number;
      readonly images: number;
    },
): string {
  const line = (name: string, way: Way) =>
    `${name.padEnd(12)}${result[`s_${way}`].toFixed(2)} s, ${result[`cpu_s_${way}`].toFixed(2)} s of processor time, ${result[`decoded_${way}`]} pictures decoded\n`;
  const range = result.ratio_range.map((ratio) => ratio.toFixed(2)).join(', ');
  return [
    `${result.engine} ${result.precision}: ${result.trials} trials on ${result.images} pictures\n`,
    line('apart', 'apart'),
    line('in lockstep', 'together'),
    `ratio of times ${result.ratio.toFixed(2)} [${range}]\n`,
  ].join('');
}
