import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { readImage, readMask } from '../../src/data/images/image-file.js';
import { classRgb } from '../../src/tasks/segmentation/blend.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { plain, tinyBackbone, untrained } from './trained.js';

describe('predict', () => {
  let dir: string;
  let shared: SharedProcess;
  let away: string;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    away = join(dir, 'somewhere', 'else');
    mkdirSync(join(dir, 'photos', 'deep'), { recursive: true });
    mkdirSync(away, { recursive: true });
    await untrained(join(dir, 'models'), await tinyBackbone(join(dir, 'backbone')));
    const bear = join(plain, 'images', 'bear_10.jpg');
    copyFileSync(bear, join(dir, 'photos', 'bear.jpg'));
    await sharp(bear)
      .resize(61, 37, { fit: 'fill' })
      .png()
      .toFile(join(dir, 'photos', 'deep', 'wide.png'));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const predict = (...args: string[]) => shared.run('predict', ['--engine', 'cpu', ...args], away);

  const models = () => ['--model-dir', join(dir, 'models')];

  it('writes a palette mask and an overlay of each picture at its own size, from any folder', async () => {
    const { code, stdout, stderr } = await predict(...models(), '--image-dir', join(dir, 'photos'));
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout, 'predicted 2 of 2 pictures: predictions\n');
    for (const [stem, ending] of [
      ['bear', 'jpg'],
      ['deep/wide', 'png'],
    ] as const) {
      const picture = await readImage(join(dir, 'photos', `${stem}.${ending}`));
      const file = join(away, 'predictions', 'masks', `${stem}.png`);
      const mask = await readMask(file);
      assert.deepEqual([mask.width, mask.height], [picture.width, picture.height]);
      assert([...mask.data].every((id) => id >= 1 && id <= 3));
      const shown = await readImage(file);
      assert.deepEqual([...shown.data.subarray(0, 3)], classRgb(mask.data[0]! - 1));
      const overlay = await readImage(join(away, 'predictions', 'overlays', `${stem}.jpg`));
      assert.deepEqual([overlay.width, overlay.height], [picture.width, picture.height]);
    }
  });

  it('refuses to replace predictions unless told to', async () => {
    const again = await predict(...models(), '--image-dir', join(dir, 'photos'));
    assert.equal(again.code, 1);
    assert.match(again.stderr, /masks\/bear\.png: expected no file of an earlier run, .*--overwrite/);
    const { code } = await predict(...models(), '--image-dir', join(dir, 'photos'), '--overwrite');
    assert.equal(code, 0);
  });

  it('names pictures that cannot be read, predicts the others, and exits with code 1', async () => {
    const mixed = join(dir, 'mixed');
    mkdirSync(mixed);
    for (let i = 0; i < 5; i++) writeFileSync(join(mixed, `a${i}.jpg`), `no picture ${i}`);
    copyFileSync(join(plain, 'images', 'bear_10.jpg'), join(mixed, 'good.jpg'));
    const out = join(dir, 'out');
    const { code, stdout, stderr } = await predict(
      ...models(),
      '--image-dir',
      mixed,
      '--output-dir',
      out,
      '--no-overlays',
    );
    assert.equal(code, 1);
    assert.equal(stdout, `predicted 1 of 6 pictures: ${out}\n`);
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, 6);
    for (let i = 0; i < 5; i++) assert.match(lines[i]!, new RegExp(`mixed/a${i}.jpg: expected an image`));
    assert.match(lines[5]!, /expected 6 pictures that can be read, got 5 that cannot, named above/);
    assert.ok(existsSync(join(out, 'masks', 'good.png')));
    assert.ok(!existsSync(join(out, 'overlays')));
  });

  it('asks for one of several runs', async () => {
    const several = join(dir, 'several');
    for (const seed of [42, 43]) await untrained(several, join(dir, 'backbone'), { seed });
    const photos = ['--image-dir', join(dir, 'photos'), '--output-dir', join(dir, 'one')];
    const asked = await predict('--model-dir', several, ...photos);
    assert.equal(asked.code, 1);
    assert.match(asked.stderr, /expected one run, got lora_42_0\.2, lora_43_0\.2; name one with --run-name/);
    const named = await predict('--model-dir', several, '--run-name', 'lora_43_0.2', ...photos);
    assert.deepEqual([named.code, named.stderr], [0, '']);
  });
});

describe('predict of a classifier', () => {
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

  it('writes labels and probabilities as CSV and as JSON Lines', async () => {
    const trained = await shared.run(
      'train-classifier',
      ['--engine=cpu', '--model-name=backbone', '--epochs=1', '--data-percentage=0.2', '--run-name=kinds'],
      dir,
    );
    assert.equal(trained.code, 0, trained.stderr);
    const images = join(plain, 'images');
    const flags = ['--engine', 'cpu', '--model-dir', 'models/kinds', '--image-dir', images];
    const { code, stderr } = await shared.run('predict', flags, dir);
    assert.deepEqual([code, stderr], [0, '']);
    const text = (name: string) =>
      readFileSync(join(dir, 'predictions', name), 'utf8')
        .trimEnd()
        .split('\n');
    const [head, ...rows] = text('predictions.csv').map((line) => line.split(','));
    assert.deepEqual(head!.slice(0, 4), ['image', 'label', 'probability', 'p(bear)']);
    const lines = text('predictions.jsonl').map((line) => JSON.parse(line));
    assert.equal(lines.length, rows.length);
    lines.forEach(({ image, label, probability, probabilities }, i) => {
      assert.deepEqual(rows[i]!.slice(0, 3), [image, label, `${probability}`]);
      const shares = Object.values(probabilities) as number[];
      assert.ok(Math.abs(shares.reduce((a, b) => a + b, 0) - 1) < 1e-4);
      assert.equal(Math.max(...shares), probabilities[label]);
    });
    assert.equal(lines[0].image, 'bear_10.jpg');
  });
});
