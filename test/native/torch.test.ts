import assert from 'node:assert/strict';
import { mock } from 'node:test';
import '../../src/engine/tfjs.js';
import {
  add,
  dispose,
  fill,
  findBackend,
  gather,
  matMul,
  mul,
  ones,
  setBackend,
  sum,
  type Tensor2D,
  tensor,
  tidy,
  topk,
} from '@tensorflow/tfjs-core';
import { UserError } from '../../src/base/errors.js';
import { useEngine } from '../../src/engine/engine.js';
import { fallbackCalls } from '../../src/engine/fallback.js';
import { linear } from '../../src/engine/ops/linear.js';
import { memoryHint } from '../../src/engine/out-of-memory.js';
import type { TorchBackend } from '../../src/engine/torch/backend.js';
import type { Loss } from '../../src/model/loss.js';
import { logCoshDice } from '../../src/tasks/segmentation/losses/log-cosh-dice.js';
import type { LossScale } from '../../src/train/loss-scale.js';
import { sgd } from '../../src/train/optimizers/sgd.js';
import { Training } from '../../src/train/training.js';
import { need, start } from '../engine/tested-engines.js';
import { tinyBatch, tinyModel, tinyPlans } from '../train/tiny.js';

const running = () => findBackend('torch') as TorchBackend;
const held = () => running().addon.memory();

describe('the torch engine', () => {
  before(need('torch'));
  beforeEach(() => start('torch', { precision: 'f32' }));
  after(() => setBackend('cpu'));

  it('refuses a device that LibTorch does not find, and names those that it does', async () => {
    await assert.rejects(
      useEngine('torch', { device: 'cuda:7' }),
      /^UserError: --device cuda:7: expected one that torch [\d.]+ finds, .*cpu; for a graphics card/,
    );
    await assert.rejects(
      useEngine('wasm', { device: 'cuda' }),
      /--device cuda: expected --engine torch with it, got wasm/,
    );
  });

  it('gives back a card’s precision on no other engine', async () => {
    await assert.rejects(
      useEngine('onednn', { precision: 'tf32' }),
      /tf32: expected f32, bf16, int16 or int8 on the onednn/,
    );
  });

  it('says that a processor computes in f32 where tf32 is asked for', async () => {
    const written = mock.method(process.stderr, 'write', () => true);
    const { precision } = await useEngine('torch', { precision: 'tf32', device: 'cpu' });
    const lines = written.mock.calls.map(({ arguments: [line] }) => String(line));
    written.mock.restore();
    assert.equal(precision, 'tf32');
    assert.ok(
      lines.some((line) => /^--precision tf32: .* products on cpu are in f32\n$/.test(line)),
      `${lines}`,
    );
  });

  it('two hundred thousand small tensors, made and freed, leave nothing and keep the process as small', () => {
    const values = new Float32Array(16);
    const make = (count: number) => {
      for (let i = 0; i < count; i++) running().disposeData(running().write(values, [4, 4], 'float32'));
    };
    make(50_000);
    const before = held();
    const { rss } = process.memoryUsage();
    make(150_000);
    assert.deepEqual(held(), before);
    const grown = (process.memoryUsage().rss - rss) / 2 ** 20;
    assert.ok(grown < 48, `the process grew by ${grown.toFixed(0)} MB`);
  });

  it('counts memory that tensors share once', () => {
    const before = held();
    const x = ones([8, 4]);
    const y = tidy(() => x.transpose().reshape([32]));
    const z = x.reshape([4, 8]);
    assert.equal(held().bytesInUse - before.bytesInUse, 2 * 4 * 32);
    dispose([x, y, z]);
    assert.deepEqual(held(), before);
  });

  it('reads a tensor that is freed meanwhile', async () => {
    const x = tensor(Float32Array.from({ length: 100_000 }, (_, i) => i));
    const reading = x.data();
    x.dispose();
    tidy(() => sum(ones([100_000])).dataSync());
    assert.equal((await reading)[99_999], 99_999);
  });

  it('says of an error the kernel and its shapes, frees all, and goes on', () => {
    const before = held();
    const failing = () =>
      tidy(() => mul(gather(tensor([1, 2, 3, 4, 5, 6], [3, 2]), tensor([0, 7], [2], 'int32')), 2));
    assert.throws(failing, /^Error: torch: GatherV2\(\[3, 2\], \[2\]\): .*out of range/);
    assert.deepEqual(held(), before);
    assert.deepEqual([...tidy(() => sum(tensor([1, 2])).dataSync())], [3]);
  });

  it('says of too little memory what is held, in an error that the user can fix', () => {
    const x = ones([1024, 1024]);
    const grow = () => tidy(() => fill([2 ** 25, 2 ** 20], 1).dataSync());
    assert.throws(grow, /^Error: torch: Fill\(\): out of memory: \d+ tensors hold \d+ MiB \(/);
    try {
      grow();
    } catch (error) {
      const hint = memoryHint(error, [8, 224, 224, 3]);
      assert.ok(hint instanceof UserError && /lower --batch-size/.test(hint.message));
    }
    x.dispose();
  });

  it('hands NaN and infinities on', () => {
    const values = tidy(() => [
      ...matMul(tensor([Number.NaN, 1], [1, 2]), ones([2, 2]) as Tensor2D).dataSync(),
    ]);
    assert.deepEqual(values, [Number.NaN, Number.NaN]);
    assert.deepEqual([...tidy(() => tensor([Number.NaN, Infinity, 2.7]).toInt().dataSync())], [0, 0, 2]);
  });

  it('runs what it lacks on the cpu backend', () => {
    fallbackCalls('torch').clear();
    const best = tidy(() => topk(tensor([3, 1, 2]), 2).values.dataSync());
    assert.deepEqual([[...best], [...fallbackCalls('torch').keys()]], [[3, 2], ['TopK']]);
  });

  it('keeps every tensor when it is started again, also those that products rounded', async () => {
    await start('torch', { precision: 'bf16', threads: 1 });
    const x = ones([2, 128]);
    const weight = tensor(new Float32Array(128 * 128).fill(1 + 2 ** -12), [128, 128]);
    const rounded = linear(x, weight);
    assert.deepEqual(new Set(rounded.dataSync()), new Set([128]));
    assert.equal(weight.dataSync()[5], 1 + 2 ** -12);
    await start('torch', { precision: 'f32' });
    const exact = linear(rounded, weight);
    assert.deepEqual(new Set(exact.dataSync()), new Set([128 * 128 * (1 + 2 ** -12)]));
    dispose([x, weight, rounded, exact]);
  });

  it('in f16 scales the loss: small gradients live, and one that overflows is skipped', async () => {
    const losses = { plain: 1, huge: 1e5 };
    for (const [name, size] of Object.entries(losses)) {
      await start('torch', { precision: 'f16', threads: 1 });
      const model = tinyModel();
      const dice = logCoshDice();
      const loss: Loss = (logits, masks) => mul(dice(logits, masks), size);
      const training = new Training({ model, loss, optimizer: sgd(), learningRate: 1e-3, seed: 1 });
      const [plan] = tinyPlans({});
      const batch = tinyBatch(plan!);
      const head = [...model.parameters.get('head').dataSync()];
      const { skipped, lossScale, gradientNorm } = await training.step(batch);
      assert.equal(lossScale, 65_536);
      assert.equal(skipped, name === 'huge' ? true : undefined, `${gradientNorm}`);
      const moved = [...model.parameters.get('head').dataSync()];
      assert[skipped ? 'deepEqual' : 'notDeepEqual'](moved, head);
      assert.equal((training.state.lossScale as LossScale).scale, skipped ? 32_768 : 65_536);
      batch.dispose();
      training.dispose();
      model.dispose();
    }
  });

  it('computes beside the onednn engine in one process', async function () {
    await need('onednn').call(this);
    const a = tensor([1, 2, 3, 4], [2, 2]);
    await start('onednn', { precision: 'f32' });
    const b = tensor([5, 6, 7, 8], [2, 2]);
    const there = matMul(b as Tensor2D, b as Tensor2D);
    await start('torch', { precision: 'f32' });
    const here = matMul(a as Tensor2D, a as Tensor2D);
    // A tensor of another engine is read from there.
    const both = add(here, there);
    assert.deepEqual([...both.dataSync()], [74, 88, 106, 128]);
    dispose([a, b, there, here, both]);
  });
});
