import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ADAPTERS } from '../../bench/adapters.js';
import { MODELS, randomSegmenter } from '../../bench/models.js';
import { flops, products } from '../../bench/products.js';
import { needOnednn } from '../native/onednn.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bench = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bench/index.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  });

describe('bench', () => {
  it('train-step prints one JSON object', () => {
    const line =
      'train-step --model deit-tiny --adapter lora --batch 1 --engine wasm --warm-up 0 --steps 1 --json';
    const { stdout, stderr, status } = bench(...line.split(' '));
    assert.equal(status, 0, stderr);
    const result = JSON.parse(stdout);
    const { s_per_step, images_per_s, peak_rss_mb, gflops, ...rest } = result;
    assert.deepEqual(rest, {
      engine: 'wasm',
      precision: 'f32',
      model: 'deit-tiny',
      adapter: 'lora',
      batch: 1,
      threads: rest.threads,
    });
    assert.ok(s_per_step > 0 && peak_rss_mb > 0);
    assert.ok(Math.abs(images_per_s * s_per_step - 1) < 1e-5);
    assert.ok(
      Math.abs((gflops * s_per_step * 1e9) / flops(products('deit-tiny', 'lora', 1, true)) - 1) < 1e-5,
    );
  });

  for (const stage of ['decode', 'augment', 'cached'])
    it(`data-stage ${stage} prints one JSON object`, () => {
      const line = `data-stage --stage ${stage} --images 6 --image-size 32 --batch-size 4 --passes 1 --json`;
      const { stdout, stderr, status } = bench(...line.split(' '));
      assert.equal(status, 0, stderr);
      const { code, s_per_step, images_per_s, wait_share, cpu_ms_per_image, peak_rss_mb, ...others } =
        JSON.parse(stdout);
      const { loop_ms, loop_work_ms, ...rest } = others;
      assert.deepEqual(rest, { stage, mode: 'exact' });
      assert.match(code, /^(native, |JavaScript$)/);
      assert.ok(Math.abs(images_per_s * s_per_step - 1) < 1e-5);
      assert.ok(wait_share > 0 && wait_share <= 1, `${wait_share}`);
      assert.ok(cpu_ms_per_image > 0 && peak_rss_mb > 0);
      assert.ok(loop_work_ms >= 0 && loop_ms >= 0);
    });

  it('profile measures the head, the size and the loss that it is given', function () {
    needOnednn.call(this);
    const line =
      'profile --model deit-tiny --adapter full --head detail --image-size 48x32 --loss dice+cross-entropy --batch 2 --warm-up 0 --steps 1 --json';
    const { stdout, stderr, status } = bench(...line.split(' '));
    assert.equal(status, 0, stderr);
    const { head, image_size, loss, rows } = JSON.parse(stdout);
    assert.deepEqual(
      { head, image_size, loss },
      { head: 'detail', image_size: '48x32', loss: 'dice+cross-entropy' },
    );
    const calls = new Map(
      rows.map(({ kernel, calls }: { kernel: string; calls: number }) => [kernel, calls]),
    );
    // Of both losses, and of a convolution in the head.
    for (const kernel of ['CrossEntropyGrad', 'OverlapGrad', 'Conv3x3GradInput'])
      assert.ok(calls.get(kernel), kernel);
  });

  it('names the nearest command or flag in one line', () => {
    for (const [args, message] of [
      [['train-stp'], /^bench: train-stp: expected one of .*; did you mean train-step\?\n$/],
      [['train-step', '--bath', '8'], /^bench: --bath: unknown flag; did you mean --batch\?\n$/],
    ] as const) {
      const { stderr, status } = bench(...args);
      assert.equal(status, 1);
      assert.match(stderr, message);
    }
  });

  it('a LoRA step of ViT-B is 74.5 GFLOP an image', () => {
    // 33.5 in the linear maps forward, 1.4 in attention, as much again for input gradients (attention twice), the head.
    assert.equal(Math.round(flops(products('vit-base', 'lora', 1, true)) / 1e8), 745);
  });

  it('no weight of a random segmenter is zero throughout', () => {
    for (const adapter of ADAPTERS) {
      const model = randomSegmenter(MODELS[1], adapter);
      for (const { name, value } of model.parameters)
        assert.ok(
          value.dataSync().every((x) => Number.isFinite(x)) && value.dataSync().some((x) => x !== 0),
          `${adapter}: ${name}`,
        );
      model.dispose();
    }
  });
});
