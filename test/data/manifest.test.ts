import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { manifest } from '../../operators/manifest.js';
import { split } from '../../operators/split.js';
import { readManifest } from '../../src/data/manifest.js';

describe('manifests', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-manifest-'));
    mkdirSync(join(dir, 'images'));
    for (const name of ['a.png', 'b.png', 'c.png', 'm.png']) writeFileSync(join(dir, 'images', name), name);
  });
  after(() => rmSync(dir, { recursive: true }));
  const file = (text: string, name = 'list.csv') => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const inDir = (name: string) => join(dir, 'images', name);

  const CSV = `group,image,label,mask,weight
p1,images/a.png,cat,images/m.png,2
p1,"images/b.png","dog, small",images/m.png,
,https://example.org/c.png,cat,https://example.org/m.png,0.5
`;
  const JSON_LINES = `{"image": "images/a.png", "mask": "images/m.png", "label": "cat", "weight": 2, "group": "p1"}

{"image": "images/b.png", "mask": "images/m.png", "label": "dog, small", "weight": null, "group": "p1"}
{"image": "https://example.org/c.png", "mask": "https://example.org/m.png", "label": "cat", "weight": "0.5", "group": ""}
`;
  const items = () => [
    {
      stem: 'images/a',
      image: inDir('a.png'),
      mask: inDir('m.png'),
      className: 'cat',
      weight: 2,
      group: 'p1',
    },
    { stem: 'images/b', image: inDir('b.png'), mask: inDir('m.png'), className: 'dog, small', group: 'p1' },
    {
      stem: 'example.org/c',
      image: 'https://example.org/c.png',
      mask: 'https://example.org/m.png',
      className: 'cat',
      weight: 0.5,
    },
  ];

  it('list items in CSV, columns in any order', async () => {
    assert.deepEqual(await readManifest(file(CSV)), items());
  });

  it('list items in JSON Lines', async () => {
    assert.deepEqual(await readManifest(file(JSON_LINES, 'list.jsonl')), items());
  });

  it('give pairs and labelled images, which are split by group', async () => {
    const path = file(CSV);
    const pairs = await lastValueFrom(manifest(path, 'mask'));
    assert.deepEqual(pairs, items());
    const labelled = await lastValueFrom(manifest(path, 'label'));
    assert.deepEqual(
      labelled.map(({ stem, label, group }) => [stem, label, group]),
      [
        ['example.org/c', 0, undefined],
        ['images/a', 0, 'p1'],
        ['images/b', 1, 'p1'],
      ],
    );
    const groups = ({ group, stem }: { readonly group?: string; readonly stem: string }) => group ?? stem;
    const { train } = await lastValueFrom(
      manifest(path, 'mask').pipe(split({ seed: 1, groups, test: 0, validation: 0 })),
    );
    assert.equal(train.length, 3);
  });

  const bad: [what: string, text: string, message: RegExp, name?: string][] = [
    [
      'no heading',
      'images/a.png,cat\n',
      /list.csv:1: expected a heading of image,mask,label,weight,group with image/,
    ],
    ['a column twice', 'image,label,Label\n', /list.csv:1: expected each column once, got label twice/],
    ['no lines', 'image\n', /expected a line for each image, got none/],
    [
      'cells that are missing',
      'image,mask\nimages/a.png\n',
      /list.csv:2: expected 2 cells, as in the heading, got 1/,
    ],
    [
      'a missing mask',
      'image,mask\nimages/a.png,\n',
      /list.csv:2: expected a value in the column mask, got none/,
    ],
    [
      'a missing file',
      'image,mask\n\nimages/a.png,images/z.png\n',
      /list.csv:3: expected a file in the column mask, got .*z.png, which is none/,
    ],
    [
      'an image twice',
      'image,mask\nimages/a.png,images/m.png\nimages/a.png,images/m.png\n',
      /list.csv:3: expected each image once, got images\/a.png again, as in line 2/,
    ],
    [
      'a weight that is none',
      'image,mask,weight\nimages/a.png,images/m.png,-1\n',
      /list.csv:2: expected a weight from 0 up, got -1/,
    ],
    [
      'an open quote',
      'image,mask\n"images/a.png,images/m.png\n',
      /list.csv:2: expected a cell whose quotes are closed/,
    ],
    [
      'bad JSON',
      '{"image": "images/a.png",\n',
      /bad.jsonl:1: expected an object of JSON, got .*JSON/,
      'bad.jsonl',
    ],
    [
      'JSON that is no object',
      '["images/a.png"]\n',
      /bad.jsonl:1: expected an object of JSON, got \["images/,
      'bad.jsonl',
    ],
    [
      'a nested value',
      '{"image": "images/a.png", "mask": ["m"]}\n',
      /bad.jsonl:1: expected text or a number as mask, got \["m"\]/,
      'bad.jsonl',
    ],
  ];
  for (const [what, text, message, name] of bad)
    it(`with ${what} are refused by file and line`, async () => {
      await assert.rejects(readManifest(file(text, name), ['mask']), (error: Error) => {
        assert.equal(error.name, 'UserError');
        assert.match(error.message, message);
        return true;
      });
    });

  it('that are missing are named', async () => {
    await assert.rejects(
      readManifest(join(dir, 'none.csv')),
      /none.csv: expected a manifest, got nothing there; see --manifest/,
    );
  });
});
