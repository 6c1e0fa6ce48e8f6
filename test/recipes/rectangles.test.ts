import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImage } from '../../src/data/images/image-file.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { readCheckpointInfo } from '../../src/train/read-checkpoint.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone } from './trained.js';

describe('pictures that are not square', () => {
  let dir: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    await tinyBackbone(join(dir, 'backbone'));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const small = ['--engine=cpu', '--model-name=backbone', '--data-percentage=0.1', '--batch-size=4'];
  const succeed = async (recipe: string, ...args: string[]) => {
    const ended = await shared.run(recipe, args, dir);
    assert.equal(ended.code, 0, ended.stderr);
    return ended;
  };
  const recorded = async (run: string) => {
    const { config } = await readCheckpointInfo((await checkpointStore(join(dir, 'models', run)).last())!);
    const { imageSize, model } = config as { imageSize: unknown; model: { imageSize: unknown } };
    return [imageSize, model.imageSize];
  };

  it('train, resume, are scored and drawn at --image-size 24x16, width first', async () => {
    const flags = [...small, '--image-size=24x16', '--augment=rotate,rotate90,crop', '--run-name=wide'];
    await succeed('train-lora', ...flags, '--epochs=1');
    const size = { width: 24, height: 16 };
    assert.deepEqual(await recorded('wide'), [size, size]);
    await succeed('train-lora', ...flags, '--epochs=2', '--resume');
    const { stdout } = await succeed('inference', '--engine=cpu', '--style=ink');
    assert.match(stdout, /in_domain/);
    await succeed('plot-predictions', '--engine=cpu', '--test-domains=in_domain', '--images=1', '--separate');
    const { width, height } = await readImage(join(dir, 'plots/predictions/wide/in_domain.png'));
    const factor = Math.ceil(256 / 24);
    assert.deepEqual([width, height], [3 * (24 * factor + 12) + 12, 30 + 30 + 16 * factor + 12 + 30 + 12]);
    const other = await shared.run('train-lora', [...flags.with(4, '--image-size=16x24'), '--resume'], dir);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /imageSize/);
  });

  it('train a classifier, with the size from a config file', async () => {
    writeFileSync(join(dir, 'tall.yaml'), 'image-size: { width: 16, height: 24 }\n');
    await succeed(
      'train-classifier',
      ...small,
      '--config=tall.yaml',
      '--data-percentage=0.5',
      '--epochs=1',
      '--run-name=tall',
    );
    const size = { width: 16, height: 24 };
    assert.deepEqual(await recorded('tall'), [size, size]);
    await succeed('inference', '--engine=cpu', '--run-name=tall', '--output-dir=scores', '--style=ink');
    const rows = JSON.parse(readFileSync(join(dir, 'scores/individual.json'), 'utf8'));
    assert.equal(rows.length, 2);
  });

  for (const [said, how] of [
    [
      '480,352',
      /--image-size: expected width x height, such as 480x352, or the side of a square, since a list/,
    ],
    [
      '480*352',
      /--image-size: expected width x height, such as 480x352, or the side of a square, got "480\*352"/,
    ],
    ['0x16', /--image-size: expected width x height/],
    ['18x16', /multiples of the patch size 4, got 18x16; the nearest are 16 and 20x16: see --image-size/],
  ] as const)
    it(`refuses ${said}`, async () => {
      const { code, stderr } = await shared.run('train-lora', [...small, `--image-size=${said}`], dir);
      assert.equal(code, 1);
      assert.match(stderr, how);
    });

  it('takes a square in either spelling for the same size', async () => {
    await succeed('train-lora', ...small, '--image-size=16x16', '--epochs=1', '--run-name=square');
    assert.deepEqual(await recorded('square'), [16, 16]);
  });
});
