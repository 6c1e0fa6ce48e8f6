import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AggregatedScores } from '../../src/experiment/score-files.js';
import type { SegmentationTestScores } from '../../src/tasks/segmentation/metrics/segmentation-scores.js';
import { run, type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone } from './trained.js';

describe('data-percentage', () => {
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
  const study = (start: typeof run, ...args: string[]) => studyIn('study', start, ...args);
  const studyIn = (out: string, start: typeof run, ...args: string[]) => {
    const tiny = ['--engine=wasm', '--epochs=1', '--lora_type=lora', '--rank=2', `--model_name=${backbone}`];
    return start('data-percentage', [...tiny, '--style=neon', `--output_dir=${out}`, ...args], dir);
  };

  it('trains each cell, scores all, and compares them in tables and plots', async () => {
    const { code, stdout, stderr } = await study(shared.run, '--data_percentage=10%', '--random_seed=1,2');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^2 runs, 2 to be trained\n/);
    assert.deepEqual(readdirSync(join(dir, 'study')).toSorted(), [
      'aggregated.csv',
      'aggregated.json',
      'cells',
      'dice-by-percentage.png',
      'dice-by-percentage.svg',
      'dice-by-style.png',
      'dice-by-style.svg',
      'individual.csv',
      'individual.json',
      'logs',
      'models',
      'plots',
      'tables.md',
    ]);
    const aggregated = JSON.parse(
      readFileSync(join(dir, 'study/aggregated.json'), 'utf8'),
    ) as AggregatedScores<SegmentationTestScores>[];
    assert.deepEqual(
      aggregated.map(({ domain, style, seeds, dataPercentage }) => [domain, style, seeds, dataPercentage]),
      [
        ['in_domain', null, [1, 2], 0.1],
        ['out_domain', 'neon', [1, 2], 0.1],
      ],
    );
    const [inside] = aggregated;
    const tables = readFileSync(join(dir, 'study/tables.md'), 'utf8');
    assert(stdout.startsWith(tables));
    const cell = `${inside!.mean.softDice.toFixed(4)} ± ${inside!.std.softDice.toFixed(4)}`;
    assert(
      tables.includes(`| adapter | adapter parameters | 10 % |\n|---|---:|---|\n| lora | 96 | ${cell} |\n`),
    );
  });

  it('trains only the new cells, in processes of their own, and shows published figures beside them', async () => {
    const summary = join(dir, 'study/logs/lora_1_0.1/summary.json');
    const before = statSync(summary).mtimeMs;
    const { code, stderr } = await study(run, '--data_percentage=10%,20%', '--random_seed=1', '--published');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^2 runs, 1 to be trained\n/);
    assert.equal(statSync(summary).mtimeMs, before);
    const tables = readFileSync(join(dir, 'study/tables.md'), 'utf8');
    assert.match(
      tables,
      /\| adapter \| adapter parameters \| 10 % \| 20 % \| 25 % \| 50 % \| 75 % \| 100 % \|/,
    );
    assert.match(tables, /\| localized_lora, published \| - \| - \| - \| 0\.7785 ± 0\.0077 \|/);
    assert.match(readFileSync(join(dir, 'study/dice-by-percentage.svg'), 'utf8'), /published/);
  });

  it('compares classifications by accuracy and macro F1, in and out of domain', async () => {
    const args = ['--task=classification', '--random_seed=1,2', '--data_percentage=100%', '--published'];
    const { code, stdout, stderr } = await studyIn('labels', shared.run, ...args);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /--published: ignored: upstream published no classification/);
    const rows = JSON.parse(readFileSync(join(dir, 'labels/aggregated.json'), 'utf8')) as AggregatedScores<{
      readonly accuracy: number;
      readonly macroF1: number;
    }>[];
    assert.deepEqual(
      rows.map(({ task, style, seeds }) => [task, style, seeds]),
      [
        ['classification', null, [1, 2]],
        ['classification', 'neon', [1, 2]],
      ],
    );
    const titles = [...stdout.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    assert.deepEqual(titles, [
      'Accuracy by share of the data, test split',
      'Macro F1 by share of the data, test split',
      'Accuracy by style, trained on 100 %',
      'Macro F1 by style, trained on 100 %',
    ]);
    for (const { mean, std } of rows)
      for (const score of ['accuracy', 'macroF1'] as const)
        assert(stdout.includes(`${mean[score].toFixed(4)} ± ${std[score].toFixed(4)} |`), stdout);
    assert.doesNotMatch(stdout, /published|Dice|mIoU/);
    for (const file of ['accuracy-by-percentage.png', 'accuracy-by-style.svg'])
      assert(existsSync(join(dir, 'labels', file)), file);
    const masks = await studyIn('labels', shared.run, '--task=classification', '--mask-dir=masks');
    assert.equal(masks.code, 1, 'a classification has no masks');
  });

  it('refuses other settings in the same folder, and what training refuses, in one line', async () => {
    const other = await study(shared.run, '--data_percentage=10%', '--random_seed=1', '--lr=0.1');
    assert.deepEqual([other.code, other.stdout], [1, '']);
    assert.match(
      other.stderr,
      /^data-percentage: study\/cells\/lora_1_0\.1\.json: .* lr 0\.002, got 0\.1; .*\n$/,
    );
    const bad = await study(run, '--random_seed=3', '--data_percentage=10%', '--image_dir=nowhere');
    assert.deepEqual([bad.code, bad.stdout], [1, '']);
    assert.match(
      bad.stderr,
      /\ntrain: nowhere: expected a folder of images.*\ndata-percentage: train\.js .*code 1\n$/,
    );
    assert(!existsSync(join(dir, 'study/models/lora_3_0.1')));
  });
});
