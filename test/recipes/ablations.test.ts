import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '../../src/loggers/summary.js';
import type { SegmentationTestScores } from '../../src/tasks/segmentation/metrics/segmentation-scores.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone } from './trained.js';

describe('ablations', () => {
  let dir: string;
  let backbone: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    backbone = await tinyBackbone(join(dir, 'backbone'));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const tiny = () => ['--engine=wasm', '--epochs=1', `--model_name=${backbone}`];
  const ablate = (name: string, ...args: string[]) =>
    shared.run(name, [...tiny(), '--output_dir=out', ...args], dir);
  const summary = (name: string) =>
    JSON.parse(
      readFileSync(join(dir, 'out/logs', name, 'summary.json'), 'utf8'),
    ) as Summary<SegmentationTestScores>;

  it('ablate-rank compares ranks over seeds, and trains nothing twice', async () => {
    const args = [
      '--data_percentage=10%',
      '--lora_type=localized_lora',
      '--rank=2',
      '--num-blocks-per-row=2',
    ];
    const { code, stdout, stderr } = await ablate('ablate-rank', ...args, '--random_seed=1,2,1');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^2 runs, 2 to be trained\n/);
    const [a, b] = [summary('localized_lora_r2_1'), summary('localized_lora_r2_2')];
    const [x, y] = [a.test!.softDice, b.test!.softDice];
    const cell = `${((x + y) / 2).toFixed(4)} ± ${(Math.abs(x - y) / 2).toFixed(4)}`;
    assert(
      stdout.includes(`| localized_lora | 2 | ${a.adapterParameters} | ${a.headParameters} | ${cell} |`),
      stdout,
    );
    assert.match(stdout, /mean ± population standard deviation over 2 seeds/);
    for (const file of ['tables.md', 'runs.csv', 'dice.png', 'dice.svg', 'miou.png', 'miou.svg'])
      assert(existsSync(join(dir, 'out', file)), file);
    assert.match(
      readFileSync(join(dir, 'out/runs.csv'), 'utf8'),
      /^run,series,place,seed,adapterParameters,headParameters,softDice,miou\nlocalized_lora_r2_1,localized_lora,2,1,/,
    );
    const again = await ablate('ablate-rank', ...args, '--random_seed=1');
    assert.match(again.stderr, /^1 runs, 0 to be trained\n$/);
    assert.match(again.stdout, /one seed/);
  });

  it('ablate-frozen compares what trains', async () => {
    const { code, stdout, stderr } = await ablate(
      'ablate-frozen',
      '--data_percentage=10%',
      '--random_seed=1',
    );
    assert.equal(code, 0, stderr);
    for (const [series, name] of [
      ['head', 'head_1_0.1'],
      ['lora', 'lora_1_0.1'],
      ['full', 'full_1_0.1'],
    ] as const) {
      const { adapterParameters, test } = summary(name);
      assert.equal(adapterParameters > 0, series === 'lora');
      assert(stdout.includes(`| ${series} | 10 % | ${adapterParameters} |`), stdout);
      assert(stdout.includes(test!.softDice.toFixed(4)), stdout);
    }
  });

  it('compare classifications, too', async () => {
    const args = [
      '--task=classification',
      '--data_percentage=100%',
      '--random_seed=1',
      '--output_dir=labels',
    ];
    const compare = (name: string, ...more: string[]) => shared.run(name, [...tiny(), ...args, ...more], dir);
    const labels = (name: string) =>
      JSON.parse(readFileSync(join(dir, 'labels/logs', name, 'summary.json'), 'utf8')) as Summary<{
        readonly accuracy: number;
        readonly macroF1: number;
      }>;
    const ranks = await compare('ablate-rank', '--lora_type=lora', '--rank=2');
    assert.equal(ranks.code, 0, ranks.stderr);
    const frozen = await compare('ablate-frozen', '--mode=head');
    assert.equal(frozen.code, 0, frozen.stderr);
    for (const [stdout, name, place] of [
      [ranks.stdout, 'lora_r2_1', '2'],
      [frozen.stdout, 'head_1_1', '100 %'],
    ] as const) {
      const { adapterParameters, headParameters, test } = labels(name);
      const scores = `${test!.accuracy.toFixed(4)} | ${test!.macroF1.toFixed(4)}`;
      assert(stdout.includes(`| ${place} | ${adapterParameters} | ${headParameters} | ${scores} |`), stdout);
      assert.match(stdout, /accuracy and macro-f1 as \.png and \.svg/);
    }
    for (const file of ['accuracy.png', 'macro-f1.svg']) assert(existsSync(join(dir, 'labels', file)), file);
    const masks = await compare('ablate-rank', '--mask-dir=masks');
    assert.equal(masks.code, 1, 'a classification has no masks');
  });

  it('names runs that diverged, averages none of them, and ends with code 1, again without training', async () => {
    const args = ['--mode=head', '--lr=1e30', '--optimizer=sgd', '--data_percentage=10%', '--random_seed=1'];
    const diverged = () => shared.run('ablate-frozen', [...tiny(), '--output_dir=lost', ...args], dir);
    const first = await diverged();
    assert.equal(first.code, 1, first.stderr);
    assert.match(
      first.stderr,
      /\nablate-frozen: 1 of 1 runs diverged and is left out of every mean: head_1_0\.1; .*\n$/,
    );
    assert.match(first.stdout, /Left out, since they diverged: head_1_0\.1\n/);
    assert.doesNotMatch(first.stdout, /0\.\d{4}/);
    assert.equal(
      (JSON.parse(readFileSync(join(dir, 'lost/logs/head_1_0.1/summary.json'), 'utf8')) as Summary).diverged,
      true,
    );
    const again = await diverged();
    assert.deepEqual([again.code, again.stdout], [1, first.stdout]);
    assert.match(again.stderr, /^1 runs, 0 to be trained\nablate-frozen: 1 of 1 runs diverged/);
  });

  it('ablate-rank refuses ranks that K does not divide, before it writes anything', async () => {
    const { code, stderr } = await shared.run('ablate-rank', ['--rank=3', '--output_dir=odd'], dir);
    assert.equal(code, 1);
    assert(!existsSync(join(dir, 'odd')));
    assert.match(stderr, /^ablate-rank: --rank: expected multiples of --num-blocks-per-row 2, got 3\n$/);
  });
});
