import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImage, readMask } from '../../src/data/images/image-file.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { readCheckpointInfo, readSplits } from '../../src/train/read-checkpoint.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { makeStreetScenes } from './street-scenes.js';
import { tinyBackbone } from './trained.js';

describe('own data, from the command line', () => {
  let dir: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    await tinyBackbone(join(dir, 'backbone'));
    makeStreetScenes(join(dir, 'streets'), { width: 48, height: 36, counts: [6, 2, 3] });
    writeFileSync(
      join(dir, 'streets/dataset.yaml'),
      [
        'image-dir: images',
        'mask-dir: labels',
        'mask_suffix: _L',
        'mask-palette: camvid',
        'train-list: train.txt',
        'validation-list: val.txt',
        'test-list: [test.txt]',
        'image-size: 24x16',
        'mean: [0.5, 0.5, 0.5]',
      ].join('\n'),
    );
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const small = ['--engine=cpu', '--model-name=backbone', '--batch-size=3', '--loss=cross-entropy'];
  const succeed = async (recipe: string, ...args: string[]) => {
    const ended = await shared.run(recipe, args, dir);
    assert.equal(ended.code, 0, ended.stderr);
    return ended;
  };
  const last = async (run: string) => (await checkpointStore(join(dir, 'models', run)).last())!;

  it('trains on a dataset.yaml, resumes with the flags that it stands for, and is scored on the official test split', async () => {
    await succeed(
      'train-lora',
      ...small,
      '--dataset=streets/dataset.yaml',
      '--epochs=1',
      '--run-name=streets',
    );
    const path = await last('streets');
    const { config } = await readCheckpointInfo(path);
    assert.equal(config['dataset'], undefined);
    assert.equal(config['split'], 'lists');
    assert.equal(
      (config['classNames'] as string[]).join(),
      'sky,building,pole,road,pavement,tree,sign,fence,car,pedestrian,bicyclist',
    );
    assert.deepEqual((config['maskIds'] as Record<number, number>)[11], 255);
    assert.deepEqual((config['model'] as { normalization: unknown }).normalization, {
      mean: [0.5, 0.5, 0.5],
      std: [0.229, 0.224, 0.225],
    });
    const splits = (await readSplits(path))!;
    const numbered = (...at: number[]) => at.map((i) => `0001TP_00000${i}`);
    assert.deepEqual(
      [splits.validation, splits.test],
      [numbered(6, 7), ['0001TP_000008', '0001TP_000009', '0001TP_000010']],
    );
    const spelledOut = [
      '--image-dir=streets/images',
      '--mask-dir=streets/labels',
      '--mask-suffix=_L',
      '--mask-palette=camvid',
      '--train-list=streets/train.txt',
      '--validation-list=streets/val.txt',
      '--test-list=streets/test.txt',
      '--image-size=24x16',
      '--mean=.5,.5,.5',
    ];
    await succeed('train-lora', ...small, ...spelledOut, '--epochs=2', '--run-name=streets', '--resume');
    const moved = join(dir, 'moved');
    mkdirSync(moved);
    for (const name of ['streets', 'models', 'backbone'])
      cpSync(join(dir, name), join(moved, name), { recursive: true });
    const scored = await shared.run('inference', ['--engine=cpu', '--test-domains=in_domain'], moved);
    assert.equal(scored.code, 0, scored.stderr);
    const [row] = JSON.parse(readFileSync(join(moved, 'results/inference/individual.json'), 'utf8'));
    assert.deepEqual([row.images, row.classNames.length], [3, 11]);
  });

  it('draws, and writes predictions in the colours of the palette', async () => {
    await succeed('plot-predictions', '--engine=cpu', '--test-domains=in_domain', '--images=1', '--separate');
  });

  it('takes the command line before the dataset.yaml, and refuses keys that no data set has', async () => {
    const args = [
      ...small,
      '--dataset=streets/dataset.yaml',
      '--epochs=1',
      '--run-name=other',
      '--image-size=16',
    ];
    await succeed('train-lora', ...args);
    assert.equal((await readCheckpointInfo(await last('other'))).config['imageSize'], 16);
    writeFileSync(join(dir, 'typo.yaml'), 'image-dirs: images\n');
    const { code, stderr } = await shared.run('train-lora', ['--dataset=typo.yaml'], dir);
    assert.equal(code, 1);
    assert.match(stderr, /typo\.yaml: image-dirs: unknown key; did you mean imageDir\?/);
    const missing = await shared.run('train-lora', ['--dataset=none.yaml'], dir);
    assert.match(missing.stderr, /--dataset none\.yaml: expected a YAML file, but there is no such file/);
    writeFileSync(join(dir, 'bad.yaml'), 'mask-ids: [0]\n');
    const bad = await shared.run('train-lora', ['--dataset=bad.yaml'], dir);
    assert.match(bad.stderr, /bad\.yaml: maskIds: expected two ids or more, got \[0\]/);
  });

  it('divides by the sub-folders train, val and test', async () => {
    const set = join(dir, 'foldered');
    for (const [list, folder] of [
      ['train', 'train'],
      ['val', 'val'],
      ['test', 'test'],
    ] as const)
      for (const line of readFileSync(join(dir, 'streets', `${list}.txt`), 'utf8')
        .trim()
        .split('\n'))
        for (const [file, kind] of [
          [line.split(' ')[0]!, 'images'],
          [line.split(' ')[1]!, 'labels'],
        ] as const) {
          mkdirSync(join(set, kind, folder), { recursive: true });
          cpSync(join(dir, 'streets', file), join(set, kind, folder, file.split('/')[1]!));
        }
    const args = [
      ...small,
      '--image-dir=foldered/images',
      '--mask-dir=foldered/labels',
      '--mask-suffix=_L',
      '--mask-palette=camvid',
    ];
    await succeed('train-lora', ...args, '--split=folders', '--epochs=1', '--run-name=folders');
    const splits = (await readSplits(await last('folders')))!;
    assert.deepEqual([splits.train.length, splits.validation.length, splits.test.length], [6, 2, 3]);
    renameSync(join(set, 'images/val'), join(set, 'images/other'));
    const { stderr } = await shared.run('train-lora', [...args, '--split=folders', '--run-name=stray'], dir);
    assert.match(
      stderr,
      /expected pictures in train, val and test for --split folders, got other\/0001TP_000006\.png, other\/0001TP_000007\.png/,
    );
  });

  it('refuses a picture in two splits, and a colour that the palette lacks, by name and place', async () => {
    writeFileSync(join(dir, 'twice.txt'), '0001TP_000000\n');
    const set = ['--dataset=streets/dataset.yaml', ...small];
    const twice = await shared.run('train-lora', [...set, '--test-list=twice.txt', '--run-name=twice'], dir);
    assert.match(
      twice.stderr,
      /splits: expected each picture in one of them, got 0001TP_000000 in train and in test/,
    );
    const both = await shared.run('train-lora', [...set, '--split=hash', '--run-name=both'], dir);
    assert.match(both.stderr, /--split hash: expected it without --train-list/);
    writeFileSync(join(dir, 'mine.txt'), '0 0 0 void\n128 128 128 sky\n128 64 128 road\n');
    const colour = await shared.run(
      'train-lora',
      [...set, '--mask-palette=mine.txt', '--run-name=colour'],
      dir,
    );
    assert.match(
      colour.stderr,
      /0001TP_00000\d_L\.png: expected colours of the palette, got #\w{6} \(\d+ \d+ \d+\) at x \d+, y \d+; declare it/,
    );
  });

  it('weighs classes by the training split, says how, and refuses a loss that takes no weights', async () => {
    const set = [
      '--dataset=streets/dataset.yaml',
      ...small,
      '--epochs=1',
      '--run-name=weighed',
      '--class-weights=inverse',
    ];
    const { stderr } = await succeed('train-lora', ...set);
    assert.match(
      stderr,
      /--class-weights inverse, from the training split: sky [\d.]+, building [\d.]+, .*bicyclist [\d.]+\n/,
    );
    const refused = await shared.run('train-lora', [...set, '--loss=tversky', '--overwrite'], dir);
    assert.match(
      refused.stderr,
      /--class-weights: expected a loss that takes weights, .* got tversky; choose one with --loss/,
    );
  });

  it('trains on tiles at full size, resumes bit for bit, and predicts whole pictures at their own', async () => {
    const set = [
      '--dataset=streets/dataset.yaml',
      ...small,
      '--tiles=16',
      '--image-size=16',
      '--tile-overlap=.5',
    ];
    await succeed('train-lora', ...set, '--epochs=2', '--run-name=tiles');
    await succeed(
      'train-lora',
      ...set,
      '--epochs=2',
      '--run-name=halves',
      '--checkpoint-every=30',
      '--schedule=constant',
    );
    await succeed('train-lora', ...set, '--epochs=1', '--run-name=resumed', '--schedule=constant');
    await succeed(
      'train-lora',
      ...set,
      '--epochs=2',
      '--run-name=resumed',
      '--schedule=constant',
      '--resume',
    );
    // 48 × 36 pixels in tiles of 16 at steps of 8: 5 × 4 of them, of 6 pictures, in batches of 3.
    const { position, config } = await readCheckpointInfo(await last('tiles'));
    assert.deepEqual([position, config['tiles']], [2 * 40, 16]);
    const weights = async (run: string) =>
      (await checkpointStore(join(dir, 'models', run)).load('last')).parameters;
    const [straight, resumed] = [await weights('halves'), await weights('resumed')];
    assert.deepEqual(resumed, straight);
    assert.equal((await readSplits(await last('tiles')))!.train.length, 6);
    const chosen = ['--engine=cpu', '--run-name=tiles'];
    await succeed('inference', ...chosen, '--test-domains=in_domain', '--output-dir=tiled');
    const [row] = JSON.parse(readFileSync(join(dir, 'tiled/individual.json'), 'utf8'));
    assert.deepEqual([row.images, row.test.dice.length], [3, 11]);
    await succeed(
      'plot-predictions',
      ...chosen,
      '--test-domains=in_domain',
      '--images=2',
      '--separate',
      '--output-dir=shown',
    );
    const one = await readImage(join(dir, 'shown/tiles/in_domain/0001TP_000008_prediction.png')).catch(() =>
      readImage(join(dir, 'shown/tiles/in_domain/0001TP_000009_prediction.png')),
    );
    assert.deepEqual([one.width, one.height], [48, 36]);
    await succeed(
      'predict',
      ...chosen,
      '--model-dir=models',
      '--image-dir=streets/images',
      '--output-dir=predicted',
    );
    const mask = await readMask(join(dir, 'predicted/masks/0001TP_000000.png'));
    assert.deepEqual([mask.width, mask.height], [48, 36]);
    assert.ok(mask.data.every((id) => id < 11));
  });

  it('says that the last of a repeated flag counts', async () => {
    const set = ['--dataset=streets/dataset.yaml', ...small, '--epochs=1', '--run-name=repeated'];
    const { stderr } = await succeed('train-lora', ...set, '--mean=0,0,0', '--mean=1,1,1');
    assert.match(stderr, /--mean: given twice; the last one counts, \[1,1,1\]/);
    assert.deepEqual((await readCheckpointInfo(await last('repeated'))).config['mean'], [1, 1, 1]);
  });
});
