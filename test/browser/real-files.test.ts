import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setBackend } from '@tensorflow/tfjs-core';
import { useEngine } from '../../src/engine/engine.js';
import { run } from '../recipes/run.js';
import { sharedData } from '../shared-data.js';
import { type Opened, openPage } from './open-page.js';
import { sharesInNode } from './shares-in-node.js';

/** A photograph that is not among those that the adapter is trained on below. */
const PICTURE = 'american_bulldog_100.jpg';

describe('docs/browser.html with DeiT-Tiny and photographs', () => {
  const backbone = sharedData('vit_deit_tiny_patch16_224');
  const pets = sharedData('oxford_pets_3breeds');
  let dir: string;
  let adapter: string;
  before(async function () {
    if (!backbone || !pets) {
      console.log('      skipped: ../shared/data has no DeiT-Tiny or no photographs');
      return this.skip();
    }
    dir = mkdtempSync(join(tmpdir(), 'millrace-browser-'));
    const flags = [
      `--image-dir=${join(pets, 'images')}`,
      `--mask-dir=${join(pets, 'annotations', 'trimaps')}`,
      `--list=${join(pets, 'annotations', 'trainval.txt')}`,
      `--model-name=${backbone}`,
      '--data-percentage=0.2',
      '--epochs=1',
      '--run-name=pets',
    ];
    for (const [recipe, args] of [
      ['train-lora', flags],
      ['export', ['--model-dir=models/pets', '--format=adapter', '--output-dir=adapter']],
    ] as const) {
      const { code, stderr } = await run(recipe, args, dir);
      assert.equal(code, 0, stderr);
    }
    adapter = join(dir, 'adapter');
  });
  after(async () => {
    await setBackend('cpu');
    if (dir) rmSync(dir, { recursive: true });
  });

  for (const engine of ['wasm', 'webgpu'] as const)
    it(`segments a pet on ${engine} as Node does`, async function () {
      let opened: Opened | undefined;
      try {
        opened = await openPage(this, engine);
        const { page, said } = opened;
        if (!(await said('engine', /^(webgpu|wasm)/)).startsWith(engine)) {
          console.log(`      skipped: this Chromium has no ${engine} on the processor`);
          return this.skip();
        }
        // Whatever a user calls the file.
        const file = join(dir, 'deit-tiny.safetensors');
        copyFileSync(join(backbone!, 'model.safetensors'), file);
        await page.setInputFiles('#model', [file, join(backbone!, 'config.json')]);
        await said('model-said', /^a ViT of 12 blocks of width 192$/);
        const files = (await readdir(adapter)).filter((name) => /\.(json|safetensors)$/.test(name));
        await page.setInputFiles(
          '#adapter',
          files.map((name) => join(adapter, name)),
        );
        await said('adapter-said', /^lora, 3 classes$/);
        const picture = join(pets!, 'images', PICTURE);
        await page.setInputFiles('#picture', picture);
        console.log(`      ${await said('picture-said', /segmented in/)}`);
        const legend = (await page.locator('#legend').textContent())!;
        const got = [0, 1, 2].map((id) =>
          Number(new RegExp(`class ${id}: ([\\d.]+) %`).exec(legend)?.[1] ?? 0),
        );
        await useEngine('wasm');
        const expected = await sharesInNode(backbone!, adapter, picture);
        console.log(`      page ${legend}; Node ${expected.map((share) => share.toFixed(1)).join(', ')}`);
        // The browser's own JPEG decoder may differ by a level.
        expected.forEach((share, id) => assert.ok(Math.abs(share - got[id]!) < 0.3, legend));
        // A pet before its background, with a border.
        assert.ok(got[0]! > 5 && got[1]! > 5, legend);
        assert.deepEqual(opened.problems, []);
      } finally {
        await opened?.close();
      }
    });
});
