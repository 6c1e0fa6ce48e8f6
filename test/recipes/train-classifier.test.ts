import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { fixture } from '../../src/base/fixture.js';
import { readEvents } from '../../src/events/read-events.js';
import type { Summary } from '../../src/loggers/summary.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone, tinyFlags } from './tiny-backbone.js';

describe('train-classifier', () => {
  let dir: string;
  let shared: SharedProcess;
  let backbone: string;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    backbone = await tinyBackbone(dir);
    // Two classes of the embedded pictures, a folder each.
    const images = fixture('creatures', 'plain', 'images');
    const list = readFileSync(fixture('creatures', 'plain', 'labels.csv'), 'utf8')
      .split('\n')
      .slice(1);
    for (const family of ['cat', 'fox']) {
      mkdirSync(join(dir, 'two', family), { recursive: true });
      const some = list.filter((line) => line.endsWith(`,${family}`)).slice(0, 10);
      for (const line of some) {
        const file = line.split(',')[0]!.replace('images/', '');
        cpSync(join(images, file), join(dir, 'two', family, file));
      }
    }
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });

  const train = (...args: string[]) =>
    shared.run(
      'train-classifier',
      tinyFlags(backbone, '--image-dir=two', '--data-percentage=1', ...args),
      dir,
    );
  const summaryOf = (run: string) =>
    JSON.parse(readFileSync(join(dir, 'logs', run, 'summary.json'), 'utf8')) as Summary;
  const refuses = async (pattern: RegExp, ...args: string[]) => {
    const { code, stderr } = await train('--run-name=refused', ...args);
    assert.equal(code, 1);
    assert.match(stderr, pattern);
  };

  for (const [adapter, ...more] of [
    ['lora', '--label-smoothing=0.1', '--augment=flip,crop,color', '--mix=mixup,cutmix,mosaic'],
    ['dora'],
    ['serial_lora'],
    ['localized_lora', '--mode=adapters'],
    ['bitfit'],
    ['ln_tuning'],
    ['none'],
    ['lora', '--mode=full'],
  ] as const)
    it(`trains ${[adapter, ...more].join(' ')} on a folder a class`, async () => {
      const { code, stderr } = await train(
        `--adapter=${adapter}`,
        '--run-name=any',
        '--overwrite',
        '--epochs=2',
        ...more,
      );
      assert.equal(code, 0, stderr);
      const events = await readEvents(join(dir, 'logs/any/events.jsonl'));
      const run = events.find((event) => event.type === 'run')!;
      assert.deepEqual(run.classes, ['cat', 'fox']);
      // 10 pictures of each class: 7 train, 2 validate, 1 is tested.
      assert.deepEqual([run.batches, run.headParameters], [4, 12 * 2 + 2]);
      const tested = events.findLast((event) => event.type === 'validation')!;
      assert.deepEqual([tested.split, tested.images], ['test', 2]);
    });

  it('writes a sheet of right and wrong predictions, and columns of its scores', async () => {
    const { code, stderr, stdout } = await train('--run-name=sheet', '--top-k=1');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ {2}plots\/sheet\/predictions\.png$/m);
    const { width, height } = await sharp(join(dir, 'plots/sheet/predictions.png')).metadata();
    assert.deepEqual([width, height], [2 * (256 + 12) + 12, 256 + 2 * 30 + 2 * 12]);
    const [head] = readFileSync(join(dir, 'logs/sheet/metrics.csv'), 'utf8').split('\n');
    assert.equal(
      head,
      'epoch,step,train_loss,val_loss,val_accuracy,val_macro_f1,val_top_k,images_per_second,lr',
    );
    const { accuracy, topK } = summaryOf('sheet').test!;
    assert.equal(topK, accuracy, 'one guess');
  });

  it('refuses two sources, one that is missing, and one class', async () => {
    await refuses(/--labels list\.csv: expected it without --image-dir, got both/, '--labels=list.csv');
    await refuses(/nowhere: expected a folder, got nothing there; see --image-dir/, '--image-dir=nowhere');
    mkdirSync(join(dir, 'one'));
    cpSync(join(dir, 'two/cat'), join(dir, 'one/cat'), { recursive: true });
    await refuses(/one: expected images of two classes or more, got one class, cat/, '--image-dir=one');
  });

  it('refuses to choose a checkpoint by a top-k accuracy that is always 1', () =>
    refuses(
      /--metric topK: expected --top-k below the number of classes, 2, got 2/,
      '--metric=topK',
      '--top-k=2',
    ));

  it('keeps a head whose classes are those of the pictures, in their order, and refuses another', async () => {
    const own = join(dir, 'kept');
    cpSync(backbone, own, { recursive: true });
    const config = JSON.parse(readFileSync(join(own, 'config.json'), 'utf8')) as object;
    const withLabels = (...labels: string[]) =>
      writeFileSync(
        join(own, 'config.json'),
        JSON.stringify({ ...config, id2label: Object.fromEntries(labels.entries()) }),
      );
    withLabels('fox', 'dog');
    const keep = ['--head=keep', `--model-name=${own}`];
    await refuses(
      /--head keep: expected pictures of the 2 classes of .*kept.*, fox, dog, got 2, cat, fox/,
      ...keep,
    );
    withLabels('fox', 'cat');
    await refuses(
      /expected a classifier of 2 classes to keep, got none; use a new one \(--head new\)/,
      ...keep,
    );
  });
});
