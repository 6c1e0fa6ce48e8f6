import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fixture } from '../../src/base/fixture.js';
import { csvText } from '../../src/files/tables.js';
import { embedded, parquetBytes } from '../files/parquet-writer.js';
import { tar } from '../files/tar-writer.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone, tinyFlags } from './tiny-backbone.js';

describe('training on items that are not in folders', () => {
  let dir: string;
  let shared: SharedProcess;
  let backbone: string;
  const stems = readdirSync(fixture('creatures', 'plain', 'images'))
    .map((name) => name.replace(/\.jpg$/, ''))
    .slice(0, 24);
  const image = (stem: string) => resolve(fixture('creatures', 'plain', 'images', `${stem}.jpg`));
  const mask = (stem: string) => resolve(fixture('creatures', 'plain', 'masks', `${stem}.png`));
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    backbone = await tinyBackbone(dir);
    const rows = stems.map((stem, i) => ({
      image: image(stem),
      mask: mask(stem),
      label: i % 2 === 0 ? 'even' : 'odd',
      weight: i % 3,
      group: `g${i % 22}`,
    }));
    writeFileSync(join(dir, 'list.csv'), csvText(rows));
    const members = stems.flatMap((stem, i): [string, Buffer | string][] => [
      [`${stem}.jpg`, readFileSync(image(stem))],
      [`${stem}.png`, readFileSync(mask(stem))],
      [`${stem}.cls`, i % 2 === 0 ? 'even' : 'odd'],
    ]);
    for (const i of [0, 1])
      writeFileSync(join(dir, `data-${i}.tar`), tar(Object.fromEntries(members.slice(36 * i, 36 * (i + 1)))));
    for (const i of [0, 1]) {
      const some = stems.slice(12 * i, 12 * (i + 1));
      const bytes = parquetBytes(
        [
          { name: 'img', kind: 'picture', values: some.map((stem) => embedded(readFileSync(image(stem)))) },
          { name: 'mask', kind: 'picture', values: some.map((stem) => embedded(readFileSync(mask(stem)))) },
          { name: 'label', kind: 'STRING', values: some.map((_, k) => (k % 2 === 0 ? 'even' : 'odd')) },
          { name: 'patient', kind: 'INT32', values: some.map((_, k) => 11 * i + (k % 11)) },
        ],
        { rows: 5 },
      );
      writeFileSync(join(dir, `data-${i}.parquet`), bytes);
    }
    const lines = ['parquet: data-*.parquet', 'columns: [image=img, group=patient]', 'split-by: group'];
    writeFileSync(join(dir, 'dataset.yaml'), lines.join('\n'));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });

  const run = (recipe: string, ...flags: string[]) => shared.run(recipe, flags, dir);
  const splitsOf = (name: string): Record<string, string[]> => {
    const [last] = readdirSync(join(dir, 'models', name)).filter((entry) => entry.startsWith('step-'));
    return JSON.parse(readFileSync(join(dir, 'models', name, last!, 'splits.json'), 'utf8'));
  };

  const firstLoss = (name: string) => {
    const lines = readFileSync(join(dir, 'logs', name, 'events.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const events = lines.map((line) => JSON.parse(line) as { type: string; loss?: number });
    return events.find(({ type }) => type === 'step')!.loss;
  };

  for (const [what, ...flags] of [
    ['manifest', '--manifest=list.csv', '--split-by=group'],
    ['shards', '--shards=data-{0..1}.tar'],
    ['parquet', '--dataset=dataset.yaml'],
  ] as const)
    for (const recipe of ['train', 'train-classifier'])
      it(`${recipe} trains on ${what}, resumes, and is scored`, async () => {
        const name = `${recipe}-${what}`;
        const flagsOf = (epochs: number) =>
          tinyFlags(backbone, `--run-name=${name}`, `--epochs=${epochs}`, '--data-percentage=1', ...flags);
        const first = await run(recipe, ...flagsOf(1));
        assert.equal(first.code, 0, first.stderr);
        const second = await run(recipe, ...flagsOf(2), '--resume');
        assert.equal(second.code, 0, second.stderr);
        const { code, stderr, stdout } = await run(
          'inference',
          `--run-name=${name}`,
          '--test-domains=in_domain',
          `--output-dir=scores-${name}`,
        );
        assert.equal(code, 0, stderr);
        assert.match(stdout, /in_domain +1/);
      });

  it('keeps groups together', () => {
    const group = (stem: string) => stems.findIndex((one) => stem.endsWith(`/${one}`)) % 22;
    const { train, validation, test } = splitsOf('train-manifest') as Record<
      'train' | 'validation' | 'test',
      string[]
    >;
    const groups = [train, validation, test].map((some) => new Set(some.map(group)));
    assert.equal(
      groups.reduce((sum, { size }) => sum + size, 0),
      22,
    );
  });

  it('trains on COCO with its categories as classes', async () => {
    const some = stems.slice(0, 20);
    const json = {
      images: some.map((stem, id) => ({ id, file_name: image(stem), width: 1, height: 1 })),
      annotations: [] as unknown[],
      categories: [{ id: 7, name: 'creature' }],
    };
    const { default: sharp } = await import('sharp');
    for (const one of json.images) {
      const { width, height } = await sharp(one.file_name).metadata();
      Object.assign(one, { width, height, file_name: one.file_name.slice(1) });
      const half = [0, 0, width / 2, 0, width / 2, height, 0, height];
      json.annotations.push({ image_id: one.id, category_id: 7, segmentation: [half] });
    }
    writeFileSync(join(dir, 'instances.json'), JSON.stringify(json));
    const flags = tinyFlags(backbone, '--run-name=coco', '--epochs=1', '--data-percentage=1');
    const { code, stderr } = await run('train', ...flags, '--coco=instances.json', '--image-dir=/');
    assert.equal(code, 0, stderr);
    const [last] = readdirSync(join(dir, 'models', 'coco')).filter((entry) => entry.startsWith('step-'));
    const text = readFileSync(join(dir, 'models', 'coco', last!, 'checkpoint.json'), 'utf8');
    const { config } = JSON.parse(text) as { config: { classNames: string[]; maskIds: number[] } };
    assert.deepEqual(
      [config.classNames, config.maskIds],
      [
        ['background', 'creature'],
        [0, 7],
      ],
    );
  });

  for (const [recipe, balance] of [
    ['train', 'weight'],
    ['train-classifier', 'weight'],
  ] as const)
    it(`${recipe} trains on one fold with --balance ${balance}, resumes, and is scored on the fold`, async () => {
      const name = `fold-${recipe}`;
      const flags = [`--run-name=${name}`, '--data-percentage=1', '--fold=2/3', `--balance=${balance}`];
      const flagsOf = (epochs: number) =>
        tinyFlags(backbone, ...flags, '--manifest=list.csv', `--epochs=${epochs}`);
      const first = await run(recipe, ...flagsOf(1));
      assert.equal(first.code, 0, first.stderr);
      const second = await run(recipe, ...flagsOf(2), '--resume');
      assert.equal(second.code, 0, second.stderr);
      const { train, validation, test } = splitsOf(name);
      assert.deepEqual([train!.length, validation!.length, test!.length], [16, 8, 0]);
      const plain = flagsOf(1).filter(
        (flag) => !flag.startsWith('--balance') && !flag.startsWith('--run-name'),
      );
      const other = await run(recipe, ...plain, `--run-name=${name}-plain`);
      assert.equal(other.code, 0, other.stderr);
      assert.notEqual(firstLoss(name), firstLoss(`${name}-plain`), 'the order of training is another one');
      const scored = await run(
        'inference',
        `--run-name=${name}`,
        '--test-domains=in_domain',
        `--output-dir=scores-${name}`,
      );
      assert.equal(scored.code, 0, scored.stderr);
      assert.match(scored.stderr, /scored on its fold 2\/3, which also chose its best checkpoint/);
    });

  it('refuses two sources, and what a source has not', async () => {
    for (const [pattern, ...flags] of [
      [/--shards: expected it without --manifest, got both/, '--manifest=list.csv', '--shards=data-0.tar'],
      [/--split-by group: expected items with a group, got none/, '--shards=data-0.tar', '--split-by=group'],
      [/--split folders: expected it without --manifest/, '--manifest=list.csv', '--split=folders'],
      [
        /--balance weight: expected training items with a weight, got none/,
        '--shards=data-{0..1}.tar',
        '--balance=weight',
      ],
      [/--balance class: expected a label for each picture, got none for /, '--balance=class'],
      [/--fold 3\/2: expected K\/N with K from 1 to N/, '--fold=3/2', '--data-percentage=1'],
      [/--fold.*expected K\/N, such as 1\/5/, '--fold=2'],
      [/--fold 1\/2: expected it without --split hash, got both/, '--fold=1/2', '--split=hash'],
      [/--fold 1\/2: expected it without --data-percentage, got 0.5/, '--fold=1/2', '--data-percentage=0.5'],
      [
        /--fold 1\/900: expected a number from 2 to the 200 items, got 900/,
        '--fold=1/900',
        '--data-percentage=1',
      ],
      [/none.csv: expected a manifest, got/, '--manifest=none.csv'],
      [
        /data-0.parquet: expected a column picture of pictures, got img, mask/,
        '--parquet=data-0.parquet',
        '--columns=image=picture',
      ],
      [
        /--columns: expected each role once, got image twice/,
        '--parquet=data-0.parquet',
        '--columns=image=img,image=mask',
      ],
      [/--columns.*expected role=column/, '--parquet=data-0.parquet', '--columns=picture=img'],
      [
        /none-\*.parquet: expected Parquet files, got nothing of this name; see --parquet/,
        '--parquet=none-*.parquet',
      ],
      [/data-0.tar: expected a Parquet file, got an end other than PAR1/, '--parquet=data-0.tar'],
    ] as const) {
      const { code, stderr } = await run('train', ...tinyFlags(backbone, '--run-name=refused', ...flags));
      assert.equal(code, 1);
      assert.match(stderr, pattern);
    }
  });
});
