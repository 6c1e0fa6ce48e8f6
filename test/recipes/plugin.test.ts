import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { readCheckpointInfo } from '../../src/train/read-checkpoint.js';
import { run, type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone } from './trained.js';

/** A loss, an adapter, a head, a logger, an optimiser, a schedule, an augmentation and a mixer of a user's own. */
const MINE = `
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { add, image, matMul, mul, reshape } from '@tensorflow/tfjs-core';
import { adapters, augmentations, crossEntropy, heads, loggers, losses, mixers, optimizers, schedules, sgd } from 'millrace';

losses.register('halved', () => {
  const whole = crossEntropy();
  return (logits, masks) => mul(whole(logits, masks), 0.5);
});

adapters.register('shift', ({ rank, layers }) => ({
  name: 'shift',
  settings: { rank },
  targets: ['query', 'value'],
  ...(layers && { layers }),
  parameters: ({ layer, target, outputs }) => [
    { name: \`layers.\${layer}.\${target}.shift\`, shape: [outputs], init: 0 },
  ],
  apply: (_site, x, { weight, bias }, { own }) => ({ x, weight, bias: add(bias, own('shift')) }),
  merged: (_site, weight, own, bias) => ({ weight, bias: add(bias, own('shift')) }),
}));

heads.register('flat', ({ classes }) => ({
  parameters: (hidden) => [
    { name: 'weight', shape: [hidden, classes], init: { bound: 0.3 } },
    { name: 'bias', shape: [classes], init: { value: 0 } },
  ],
  forward: (grid, { get, patch }) => {
    const [batch, side, , hidden] = grid.shape;
    const flat = add(matMul(reshape(grid, [batch * side * side, hidden]), get('weight')), get('bias'));
    const logits = reshape(flat, [batch, side, side, flat.shape[1]]);
    return image.resizeBilinear(logits, [side * patch, side * patch]);
  },
}));

loggers.register('types', ({ logs }) => ({
  name: 'types',
  next: ({ type }) => appendFileSync(join(logs, 'types.txt'), type + '\\n'),
}));

optimizers.register('plain', () => sgd());
schedules.register('half', () => () => 0.5);
augmentations.register('dim', () => ({
  name: 'dim',
  p: 1,
  photometric: ({ image }) => image.forEach((byte, i) => { image[i] = byte / 2; }),
}));
mixers.register('left-half', () => ({
  name: 'leftHalf',
  p: 0.5,
  partners: 1,
  mix: ({ width, image, mask }, [partner]) => {
    mask.forEach((_, i) => {
      if (i % width >= width / 2) return;
      mask[i] = partner.mask[i];
      for (let k = 3 * i; k < 3 * i + 3; k++) image[k] = partner.image[k];
    });
    return [0.5, 0.5];
  },
}));
`;

/** A sampler that proposes the middle of each range. */
const MIDDLE = `
import { samplers } from 'millrace/study';

samplers.register('middle', () => ({
  inferRelativeSearchSpace: () => new Map(),
  sampleRelative: () => ({}),
  sampleIndependent: (_study, _trial, _name, { low, high }) => (low + high) / 2,
}));
`;

describe('a plugin', () => {
  let dir: string;
  /** Where the plugin is loaded, since commands name it. What finds it by itself has a process of its own. */
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    // Beside the package, so that a plugin finds millrace.
    dir = mkdtempSync(join(import.meta.dirname, 'plugin-'));
    mkdirSync(join(dir, 'own'));
    writeFileSync(join(dir, 'own', 'mine.mjs'), MINE);
    await tinyBackbone(join(dir, 'own', 'backbone'));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });

  const names = ['--loss=halved', '--head=flat', '--logger=types', '--optimizer=plain', '--schedule=half'];
  const train = (...args: string[]) =>
    shared.run(
      'train',
      [
        '--adapter=shift',
        '--augment=dim',
        '--mix=left-half',
        ...names,
        '--model-name=own/backbone',
        '--run-name=mine',
        '--out-dir=own/models',
        '--data-percentage=0.05',
        '--batch-size=4',
        '--engine=wasm',
        ...args,
      ],
      dir,
    );
  const score = (start: typeof run, ...args: string[]) =>
    start(
      'inference',
      ['--model-dir=own/models', '--test-domains=in_domain', '--engine=wasm', '--overwrite', ...args],
      dir,
    );
  const rows = () =>
    JSON.parse(readFileSync(join(dir, 'results/inference/individual.json'), 'utf8')) as Record<
      string,
      unknown
    >[];

  it('trains what it registers, and resumes after a stop', async () => {
    const first = await train('--plugin=own/mine.mjs', '--epochs=1');
    assert.equal(first.code, 0, first.stderr);
    const more = await train('--plugin=own/mine.mjs', '--epochs=2', '--resume');
    assert.equal(more.code, 0, more.stderr);
    const types = readFileSync(join(dir, 'logs', 'mine', 'types.txt'), 'utf8');
    assert.match(types, /^run\n/);
    assert.equal(types.match(/^done$/gm)?.length, 2);
    const { config } = await readCheckpointInfo(
      (await checkpointStore(join(dir, 'own/models/mine')).last())!,
    );
    const { plugin, loss, head, logger, loraType } = config;
    assert.deepEqual(
      { plugin, loss, head, logger, loraType },
      { plugin: ['own/mine.mjs'], loss: 'halved', head: 'flat', logger: ['types'], loraType: 'shift' },
    );
  });

  it('is found again when a checkpoint is scored, also where both have moved', async () => {
    const there = await score(run);
    assert.equal(there.code, 0, there.stderr);
    const [before] = rows();
    assert.equal(before?.['adapter'], 'shift');
    renameSync(join(dir, 'own'), join(dir, 'moved'));
    const moved = await score(run, '--model-dir=moved/models');
    assert.equal(moved.code, 0, moved.stderr);
    assert.deepEqual(rows()[0]?.['test'], before?.['test']);
    const drawn = await run(
      'plot-predictions',
      ['--model-dir=moved/models', '--test-domains=in_domain', '--engine=wasm', '--images=1'],
      dir,
    );
    assert.equal(drawn.code, 0, drawn.stderr);
  });

  it('is unknown until it is loaded, named when it is gone, and loaded from its new place', async () => {
    renameSync(join(dir, 'moved', 'mine.mjs'), join(dir, 'elsewhere.mjs'));
    shared.close();
    shared = sharedProcess();
    const missed = await train();
    assert.equal(missed.code, 1);
    assert.match(missed.stderr, /^train: --adapter: expected one of none, lora, .*got "shift"/);
    const gone = await score(shared.run, '--model-dir=moved/models');
    assert.equal(gone.code, 1);
    assert.match(
      gone.stderr,
      /inference: moved\/models\/mine\/step-\d+: expected the run's plugin own\/mine\.mjs, for its adapter shift and head flat, got no such module; name its new place with --plugin\n$/,
    );
    const named = await score(shared.run, '--model-dir=moved/models', '--plugin=elsewhere.mjs');
    assert.equal(named.code, 0, named.stderr);
  });

  it('is loaded again by a worker that continues its study', async () => {
    writeFileSync(join(dir, 'middle.mjs'), MIDDLE);
    writeFileSync(join(dir, 'objective.mjs'), "export default (trial) => trial.suggestFloat('x', 0, 4);");
    const args = ['--objective=objective.mjs', '--study-name=mid', '--sampler=middle'];
    const first = await shared.run('worker', [...args, '--n-trials=1', '--plugin=middle.mjs'], dir);
    assert.match(first.stdout, /^trial 0 COMPLETE 2 /, first.stderr);
    const next = await run('worker', [...args, '--n-trials=2'], dir);
    assert.match(next.stdout, /^trial 1 COMPLETE 2 /, next.stderr);
  });
});
