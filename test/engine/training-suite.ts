import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import '../../src/engine/tfjs.js';
import { dispose, setBackend, tensor, tidy } from '@tensorflow/tfjs-core';
import { localizedLora } from '../../src/adapters/localized-lora.js';
import { lora } from '../../src/adapters/lora.js';
import { serialLora } from '../../src/adapters/serial-lora.js';
import type { Batch } from '../../src/data/batch.js';
import { fallbackCalls } from '../../src/engine/fallback.js';
import type { Adapter } from '../../src/model/adapter.js';
import { heads } from '../../src/model/heads/heads.js';
import type { Extras } from '../../src/model/loss.js';
import { normal, randomStream } from '../../src/random/random-stream.js';
import { losses } from '../../src/tasks/segmentation/losses/losses.js';
import { segmentationMetrics } from '../../src/tasks/segmentation/metrics/segmentation-metrics.js';
import { createSegmenter } from '../../src/tasks/segmentation/segmenter.js';
import { adam, adamW } from '../../src/train/optimizers/adam.js';
import { sgd } from '../../src/train/optimizers/sgd.js';
import { Training } from '../../src/train/training.js';
import { need, start, TESTED, type TestedEngine } from './tested-engines.js';

const config = {
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 48,
  layer_norm_eps: 1e-6,
  image_size: 16,
  patch_size: 4,
  hidden_act: 'gelu' as const,
  num_channels: 3 as const,
};

function batch(position: number): Batch {
  const random = randomStream(1, 'coverage', position);
  const images = Float32Array.from({ length: 2 * 16 * 16 * 3 }, () => normal(random));
  const masks = Int32Array.from({ length: 2 * 16 * 16 }, (_, i) => (i % 50 === 0 ? 255 : i % 3));
  return {
    plan: { position, samples: [] },
    inputs: tensor(images, [2, 16, 16, 3]),
    targets: tensor(masks, [2, 16, 16], 'int32'),
  } as unknown as Batch;
}

/** Trains two steps, or as many as asked for, scores after each, and gives back the losses. */
async function train(options: {
  adapter?: Adapter;
  loss?: string;
  optimizer?: ReturnType<typeof adam>;
  head?: object;
  average?: number;
  steps?: number;
}): Promise<number[]> {
  const { adapter, loss = 'log-cosh-dice', optimizer = adamW(), head = {}, average, steps = 2 } = options;
  const model = createSegmenter(config, { classes: 3, seed: 1, ...head });
  if (adapter) model.inject(adapter, 1);
  const run = new Training({
    model,
    loss: losses.make(loss),
    optimizer,
    learningRate: 1e-3,
    seed: 1,
    ...(average !== undefined && { average }),
  });
  const values: number[] = [];
  for (let position = 0; position < steps; position++) {
    const { inputs, targets, ...rest } = batch(position);
    values.push((await run.step({ inputs, targets, ...rest })).loss);
    const metrics = segmentationMetrics({ classes: 3, loss: losses.make(loss) })();
    const { logits, extras } = tidy(() => {
      let extras: Extras = {};
      const logits = model.forward(inputs, { extras: (said) => void (extras = said) });
      return { logits, extras };
    });
    await metrics.add(logits, targets, extras);
    values.push(metrics.scores().softDice);
    dispose([inputs, targets, logits, ...Object.values(extras)]);
  }
  if (adapter) {
    model.merge();
    model.unmerge();
  }
  run.dispose();
  model.dispose();
  return values;
}

const cases: Record<string, Parameters<typeof train>[0]> = {
  'full training': {},
  lora: { adapter: lora({ rank: 2 }) },
  'lora on all maps, with dropout': {
    adapter: lora({ rank: 2, dropout: 0.1, targets: ['query', 'key', 'value', 'output', 'fc1', 'fc2'] }),
  },
  dora: { adapter: lora({ rank: 2, dora: true }) },
  serial: { adapter: serialLora({ rank: 2 }) },
  localized: { adapter: localizedLora({ blocks: 2, blockRank: 2 }) },
  'localized with dropout': { adapter: localizedLora({ blocks: 2, blockRank: 2, dropout: 0.1 }) },
  'a head with BatchNorm and dropout': { head: { batchNorm: true, dropout: 0.2 } },
  ...Object.fromEntries(
    heads.names.filter((name) => name !== 'conv').map((name) => [`the head ${name}`, { head: { name } }]),
  ),
  'adam with decay and clipping': { optimizer: adam({ weightDecay: 0.1, clip: 1 }) },
  'sgd with momentum': { optimizer: sgd({ momentum: 0.9, clip: 1 }) },
  'an average of the weights': { average: 0.9 },
  ...Object.fromEntries(
    losses.names.map((loss) => [
      `the loss ${loss}`,
      { loss, ...(loss === 'set' && { head: { name: 'mask' } }) },
    ]),
  ),
};

/** What training in each way gives on cpu, for all engines. */
const onCpu = new Map<string, number[]>();

/** Trains, on an engine and on cpu, in each of these ways, or in all. */
export function trainingSuite(engine: TestedEngine, names = Object.keys(cases)): void {
  describe(`training on the ${engine} engine`, () => {
    before(need(engine));
    after(() => setBackend('cpu'));

    for (const name of names)
      it(`${name}: runs natively, with the numbers of the cpu backend`, async () => {
        const options = cases[name]!;
        await setBackend('cpu');
        const expected = onCpu.get(name) ?? (await train(options));
        onCpu.set(name, expected);
        await start(engine, { precision: 'f32' });
        fallbackCalls(engine).clear();
        const got = await train(options);
        assert.deepEqual([...fallbackCalls(engine).keys()], []);
        const again = await train(options);
        await setBackend('cpu');
        got.forEach((value, i) => {
          const error = Math.abs(value - expected[i]!) / Math.max(Math.abs(expected[i]!), 1e-3);
          assert.ok(error <= 1e-4, `number ${i}: expected ${expected[i]}, got ${value}`);
        });
        assert.deepEqual(again, got);
      });

    for (const precision of ['bf16', 'f16'] as const)
      if ((TESTED[engine] as readonly string[]).includes(precision))
        it(`in ${precision} follows f32 within what it rounds away, whatever the number of threads`, async () => {
          const { adapter } = { adapter: localizedLora({ blocks: 2, blockRank: 2 }) };
          const allowed = precision === 'bf16' ? 0.02 : 0.004;
          await start(engine, { precision: 'f32' });
          const expected = await train({ adapter });
          await start(engine, { precision, threads: 1 });
          const one = await train({ adapter });
          await start(engine, { precision, threads: Math.min(2, availableParallelism()) });
          const two = await train({ adapter });
          await setBackend('cpu');
          one.forEach((value, i) => {
            assert.ok(
              Math.abs(value - expected[i]!) <= allowed * Math.abs(expected[i]!),
              `number ${i}: ${value}`,
            );
            assert.ok(
              Math.abs(value - two[i]!) <= allowed * Math.abs(value),
              `number ${i} on two threads: ${two[i]}`,
            );
          });
        });

    if (!(TESTED[engine] as readonly string[]).includes('f16')) return;
    it('in f16 trains ten steps of each adapter as f32 does', async () => {
      const adapters = Object.entries(cases).filter(([, { adapter }]) => adapter);
      for (const [name, options] of adapters) {
        await start(engine, { precision: 'f32' });
        const expected = await train({ ...options, steps: 10 });
        await start(engine, { precision: 'f16' });
        const got = await train({ ...options, steps: 10 });
        assert.ok(
          got.some((value, i) => value !== expected[i]),
          `${name}: nothing was rounded`,
        );
        got.forEach((value, i) => {
          const error = Math.abs(value - expected[i]!) / Math.abs(expected[i]!);
          assert.ok(error <= 0.01, `${name}, number ${i}: expected ${expected[i]}, got ${value}`);
        });
      }
      await setBackend('cpu');
    });
  });
}
