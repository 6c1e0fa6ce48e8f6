import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { randomStream } from '../../src/random/random-stream.js';
import { makeFields } from '../recipes/fields.js';
import { root, type SharedProcess, sharedProcess } from '../recipes/run.js';
import { makeStreetScenes } from '../recipes/street-scenes.js';
import { tinyBackbone } from '../recipes/trained.js';
import { codeBlocks } from './examples.js';

const text = readFileSync(join(root, 'docs', 'own-data.md'), 'utf8');
const files = codeBlocks(text, 'yaml');
const commands = codeBlocks(text, 'sh').flatMap((block) => block.split('\n'));

/** The command lines of the document about one run, and the dataset.yaml that it shows for it. */
const about = (run: string) => ({
  commands: commands.filter((line) => line.includes(`--run-name ${run}`)),
  yaml: files.find((file) => file.startsWith(`# data/${run}/dataset.yaml`))!,
});

describe('docs/own-data.md', () => {
  let dir: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-own-'));
    await tinyBackbone(join(dir, 'backbone'));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });

  /** Runs what the document says, with a small model and one epoch. */
  const follow = async (run: string) => {
    const { commands: lines, yaml } = about(run);
    assert.equal(lines.length, 2);
    writeFileSync(join(dir, 'data', run, 'dataset.yaml'), yaml);
    for (const line of lines) {
      const [, recipe, flags] = /^node recipes\/([\w-]+)\.js (.*)$/.exec(line)!;
      const small = recipe!.startsWith('train')
        ? ['--model-name=backbone', '--epochs=1', '--batch-size=2']
        : [];
      const { code, stderr } = await shared.run(
        recipe!,
        [...flags!.split(' '), '--engine=cpu', ...small],
        dir,
      );
      assert.equal(code, 0, stderr);
    }
  };
  const scores = (folder: string) => JSON.parse(readFileSync(join(dir, folder, 'individual.json'), 'utf8'));

  it('trains street scenes: colour masks, eleven classes and void, official lists, 480 × 360', async () => {
    // The document's size has 3,600 patches of the small model: too many for a test on one core.
    const { yaml } = about('streets');
    assert.match(yaml, /^image-size: 480x352 /m);
    makeStreetScenes(join(dir, 'data/streets'), { width: 480, height: 360, counts: [2, 1, 1] });
    files[files.indexOf(yaml)] = yaml.replace('480x352', '48x36');
    await follow('streets');
    const [row] = scores('results/inference');
    assert.deepEqual([row.images, row.classNames.length, row.classNames[3]], [1, 11, 'road']);
  });

  it('trains nuclei: binary masks, two domains, tiles at full resolution', async () => {
    for (const [domain, pictures] of [
      ['fluorescence', 10],
      ['histology', 2],
    ] as const)
      drawNuclei(domain, pictures);
    const { yaml } = about('nuclei');
    assert.match(yaml, /^tiles: 256$/m);
    files[files.indexOf(yaml)] = yaml.replace('256', '32');
    await follow('nuclei');
    const rows = scores('results/nuclei');
    assert.deepEqual(
      rows.map(({ style, images }: { style: string | null; images: number }) => [style, images]),
      [
        [null, 1],
        ['histology', 2],
      ],
    );
  });

  it('trains fields: four channels of 16 bits', async () => {
    makeFields(join(dir, 'data/fields'), { count: 10, size: 16, channels: 4 });
    await follow('fields');
    const [row] = scores('results/fields');
    assert.deepEqual([row.images, row.classNames], [1, ['other', 'water']]);
  });

  function drawNuclei(domain: string, pictures: number): void {
    const [width, height] = [70, 50];
    for (const part of ['images', 'masks'])
      mkdirSync(join(dir, 'data/nuclei', domain, part), { recursive: true });
    for (let i = 0; i < pictures; i++) {
      const random = randomStream(5, domain, i);
      const mask = new Uint8Array(width * height);
      for (let nucleus = 0; nucleus < 6; nucleus++) {
        const [x, y, r] = [width * random(), height * random(), 3 + 4 * random()];
        mask.forEach((_, at) => {
          if (((at % width) - x) ** 2 + (Math.floor(at / width) - y) ** 2 < r * r) mask[at] = 255;
        });
      }
      const image = Uint8Array.from(
        { length: 3 * mask.length },
        (_, at) => 20 + 0.6 * mask[Math.floor(at / 3)]! + 30 * random(),
      );
      const png = (data: Uint8Array, channels: 1 | 3) => encode({ width, height, data, channels, depth: 8 });
      writeFileSync(join(dir, 'data/nuclei', domain, 'images', `${i}.png`), png(image, 3));
      writeFileSync(join(dir, 'data/nuclei', domain, 'masks', `${i}.png`), png(mask, 1));
    }
  }
});
