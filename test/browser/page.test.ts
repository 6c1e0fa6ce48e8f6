import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setBackend } from '@tensorflow/tfjs-core';
import type { Page } from 'playwright-core';
import { lora } from '../../src/adapters/lora.js';
import { loadPeft } from '../../src/adapters/peft/load-peft.js';
import { savePeft } from '../../src/adapters/peft/save-peft.js';
import { packageRoot } from '../../src/base/package.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';
import { type Opened, openPage } from './open-page.js';
import { sharesInNode } from './shares-in-node.js';

const fixtures = (...parts: string[]) => join(packageRoot, 'fixtures', ...parts);
const BACKBONE = ['config.json', 'model.safetensors'].map((name) => fixtures('vit-creatures', name));

/** The first pictures, or masks, of the embedded set. */
async function embedded(kind: 'images' | 'masks'): Promise<string[]> {
  const folder = fixtures('creatures', 'plain', kind);
  return (await readdir(folder))
    .toSorted()
    .slice(0, 4)
    .map((name) => join(folder, name));
}

for (const engine of ['webgpu', 'wasm'] as const)
  describe(`docs/browser.html on ${engine}`, () => {
    let opened: Opened;
    let page: Page;
    let folder: string;
    const said: Opened['said'] = (...args) => opened.said(...args);

    before(async function () {
      opened = await openPage(this, engine);
      page = opened.page;
      folder = await mkdtemp(join(tmpdir(), 'millrace-browser-'));
    });
    after(async () => {
      await opened?.close();
      if (folder) await rm(folder, { recursive: true });
      await setBackend('cpu');
    });
    afterEach(() => assert.deepEqual(opened?.problems ?? [], []));

    it('starts the engine', async function () {
      const name = await said('engine', /^(webgpu|wasm)/);
      console.log(`      engine: ${name}`);
      if (engine === 'webgpu' && !name.startsWith('webgpu')) {
        console.log('      skipped: this Chromium has no WebGPU on the processor');
        return this.skip();
      }
      assert.ok(name.startsWith(engine), name);
    });

    it('says what it misses', async () => {
      await page.setInputFiles('#model', fixtures('vit-creatures', 'config.json'));
      await assert.rejects(
        said('model-said', /ViT/),
        /expected one .safetensors file, got config.json; choose it as well/,
      );
      await page.setInputFiles('#model', BACKBONE);
      await said('model-said', /^a ViT of \d+ blocks/);
    });

    it('segments a picture with an adapter as Node does', async () => {
      await setBackend('cpu');
      const model = (await loadSegmenter(fixtures('vit-creatures'), { classes: 3, seed: 5 })).inject(
        lora({ rank: 4 }),
        5,
      );
      await savePeft(model, join(folder, 'adapter'));
      model.dispose();
      const names = await readdir(join(folder, 'adapter'));
      await page.setInputFiles(
        '#adapter',
        names.map((name) => join(folder, 'adapter', name)),
      );
      await said('adapter-said', /^lora, 3 classes/);
      const [picture] = await embedded('images');
      await page.setInputFiles('#picture', picture!);
      await said('picture-said', /segmented in/);
      const expected = await sharesInNode(fixtures('vit-creatures'), join(folder, 'adapter'), picture!);
      const legend = expected.flatMap((share, id) =>
        share > 0 ? [`class ${id}: ${share.toFixed(1)} %`] : [],
      );
      assert.equal(await page.locator('#legend').textContent(), legend.join(''));
    });

    it('trains an adapter on a handful of pictures, and saves it for the recipes', async () => {
      await page.setInputFiles('#images', await embedded('images'));
      await page.setInputFiles('#masks', await embedded('masks'));
      // WebGPU on the processor takes seconds for a step.
      await page.fill('#epochs', engine === 'webgpu' ? '1' : '6');
      await page.click('#train');
      const text = await said('train-said', /^trained for/);
      const [first, last] = [...text.matchAll(/\d\.\d+/g)].map(Number) as [number, number];
      assert.ok(last < (engine === 'webgpu' ? 1 : 0.8) * first, text);
      await said('picture-said', /segmented in/);
      const downloads: Promise<void>[] = [];
      page.on('download', (download) =>
        downloads.push(download.saveAs(join(folder, 'trained', download.suggestedFilename()))),
      );
      await page.click('#save');
      await said('adapter-said', /^saved/);
      while (downloads.length < 3) await new Promise((go) => setTimeout(go, 100));
      await Promise.all(downloads);
      await page.screenshot({ path: join(tmpdir(), `millrace-browser-${engine}.png`), fullPage: true });
      const model = await loadPeft(
        await loadSegmenter(fixtures('vit-creatures'), { classes: 3, seed: 1 }),
        join(folder, 'trained'),
      );
      assert.equal(model.adapter?.name, 'lora');
      model.dispose();
    });
  });
