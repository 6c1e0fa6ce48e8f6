import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMask } from '../../src/data/images/image-file.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { readCheckpointInfo } from '../../src/train/read-checkpoint.js';
import { makeFields } from './fields.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone } from './trained.js';

describe('pictures of many channels, from the command line', () => {
  let dir: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    await tinyBackbone(join(dir, 'backbone'));
    makeFields(join(dir, 'fields'), { count: 24, size: 16, channels: 4 });
    writeFileSync(
      join(dir, 'fields/dataset.yaml'),
      'image-dir: images\nmask-dir: masks\nmask-ids: 0,1\nchannels: 4\nrange: 0,10000\n',
    );
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const small = ['--engine=cpu', '--model-name=backbone', '--image-size=16', '--batch-size=4', '--lr=1e-2'];
  const fields = [...small, '--dataset=fields/dataset.yaml'];
  const succeed = async (recipe: string, ...args: string[]) => {
    const ended = await shared.run(recipe, args, dir);
    assert.equal(ended.code, 0, ended.stderr);
    return ended;
  };
  const fail = async (recipe: string, message: RegExp, ...args: string[]) => {
    const { code, stderr } = await shared.run(recipe, args, dir);
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
  };

  it('learn in two epochs what the fourth channel alone shows, resume, are scored, predicted and exported', async () => {
    const run = ['--run-name=fields', '--augment=flip,rotate90', '--loss=cross-entropy', '--head=linear'];
    await succeed('train-lora', ...fields, ...run, '--epochs=1');
    await succeed('train-lora', ...fields, ...run, '--epochs=2', '--resume');
    const { config } = await readCheckpointInfo((await checkpointStore(join(dir, 'models/fields')).last())!);
    assert.deepEqual([config['channels'], config['range']], [4, [0, 10_000]]);
    assert.equal((config['model'] as { channels?: number }).channels, 4);
    await succeed('inference', '--engine=cpu', '--run-name=fields', '--test-domains=in_domain');
    // Chance is a quarter of the pixels: an IoU of 1/4 where all of them are called inside.
    const summary = JSON.parse(readFileSync(join(dir, 'logs/fields/summary.json'), 'utf8'));
    assert.ok(summary.test.miou > 0.6, JSON.stringify(summary.test));
    await succeed(
      'predict',
      '--engine=cpu',
      '--model-dir=models/fields',
      '--image-dir=fields/images',
      '--output-dir=out',
      '--overlays',
    );
    const { width, height, data } = await readMask(join(dir, 'out/masks/field_0.png'));
    assert.deepEqual([width, height], [16, 16]);
    assert.ok(data.every((id) => id <= 1));
    for (const format of ['hf', 'onnx'] as const)
      await succeed(
        'export',
        '--engine=cpu',
        '--model-dir=models/fields',
        `--format=${format}`,
        `--output-dir=export-${format}`,
      );
    for (const format of ['hf', 'onnx'] as const)
      assert.equal(
        JSON.parse(readFileSync(join(dir, `export-${format}/config.json`), 'utf8')).num_channels,
        4,
      );
    const card = readFileSync(join(dir, 'export-onnx/README.md'), 'utf8');
    assert.match(card, /pixel_values` \[batch, 4, 16, 16\]/);
    assert.match(card, /Values from 0 to 10000 become 0 to 1/);
    assert.doesNotMatch(card, /convert\("RGB"\)/);
  });

  it('train alike from bands that lie apart and from pages, and from a cache on disk', async () => {
    const losses = async (name: string, ...args: string[]) => {
      await succeed(
        'train-lora',
        ...fields,
        `--run-name=${name}`,
        '--epochs=1',
        '--augment=flip,rotate',
        ...args,
      );
      return readFileSync(join(dir, 'logs', name, 'metrics.csv'), 'utf8')
        .split('\n')
        .map((row) => row.split(',').slice(0, 4).join());
    };
    const together = await losses('together');
    for (const layout of ['apart', 'pages'] as const) {
      makeFields(join(dir, layout), { count: 24, size: 16, channels: 4, layout });
      const from = [`--image-dir=${layout}/images`, `--mask-dir=${layout}/masks`];
      assert.deepEqual(await losses(layout, ...from), together);
    }
    assert.deepEqual(await losses('disk', '--cache=disk'), together);
    assert.deepEqual(await losses('disk-again', '--cache=disk'), together);
  });

  it('train a classifier, of one channel too', async () => {
    makeFields(join(dir, 'grey/classes/a'), { count: 6, size: 16, channels: 1 });
    makeFields(join(dir, 'grey/classes/b'), { count: 6, size: 16, channels: 1 });
    for (const part of ['a', 'b']) rmSync(join(dir, `grey/classes/${part}/masks`), { recursive: true });
    await succeed(
      'train-classifier',
      ...small,
      '--image-dir=grey/classes',
      '--channels=1',
      '--epochs=1',
      '--mean=0.5',
      '--std=0.25',
      '--run-name=grey',
    );
    await succeed(
      'predict',
      '--engine=cpu',
      '--model-dir=models/grey',
      '--image-dir=grey/classes',
      '--output-dir=labels',
    );
  });

  it('are cut into tiles and stitched', async () => {
    await succeed(
      'train-lora',
      ...small,
      '--dataset=fields/dataset.yaml',
      '--tiles=8',
      '--image-size=8',
      '--epochs=1',
      '--data-percentage=0.5',
      '--run-name=tiled',
    );
    await succeed(
      'predict',
      '--engine=cpu',
      '--model-dir=models/tiled',
      '--image-dir=fields/images',
      '--output-dir=stitched',
    );
    const { width } = await readMask(join(dir, 'stitched/masks/field_3.png'));
    assert.equal(width, 16);
  });

  it('are refused, before training, where they have other channels, and by preview-data all of them', async () => {
    await fail(
      'train-lora',
      /field_\d+\.tif: expected 13 channels \(--channels 13\), got 4; /,
      ...fields,
      '--channels=13',
    );
    await fail(
      'train-lora',
      /--augment: expected augmentations that move or hide pixels .* with --range 0,10000, got color,rand/,
      ...fields,
      '--augment=flip,color,rand,erase',
    );
    await fail(
      'train-lora',
      /normalization: expected a mean and a deviation for each of 4 channels/,
      ...fields,
      '--mean=0.5,0.5,0.5',
    );
    await fail('train-lora', /--range: expected the lower value first/, ...fields, '--range=5,1');
    const preview = await shared.run(
      'preview-data',
      ['--dataset=fields/dataset.yaml', '--channels=5', '--image-size=16'],
      dir,
    );
    assert.equal(preview.code, 1);
    assert.match(
      preview.stdout,
      /faults that stop a training: 24\n {2}.*field_\d+\.tif: expected 5 channels/,
    );
    await succeed(
      'preview-data',
      '--dataset=fields/dataset.yaml',
      '--image-size=16',
      '--augment=flip',
      '--overwrite',
    );
  });
});
