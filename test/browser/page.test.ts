import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setBackend, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { lora } from '../../src/adapters/lora.js';
import { loadPeft } from '../../src/adapters/peft/load-peft.js';
import { savePeft } from '../../src/adapters/peft/save-peft.js';
import { packageRoot } from '../../src/base/package.js';
import { readImage } from '../../src/data/images/image-file.js';
import { resizeBilinear } from '../../src/data/pixels/resize.js';
import { classesAt } from '../../src/tasks/segmentation/classes-at.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';
import { needsSharedData } from '../shared-data.js';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const fixtures = (...parts: string[]) => join(packageRoot, 'fixtures', ...parts);
const backboneFiles = (folder: string) =>
  ['config.json', 'model.safetensors'].map((name) => join(folder, name));

/** WebGPU on the processor, where Chromium comes with it. */
const FLAGS = {
  webgpu: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'],
  wasm: ['--disable-features=WebGPU'],
};

/** The first pictures, or masks, of the embedded set. */
async function embedded(kind: 'images' | 'masks'): Promise<string[]> {
  const folder = fixtures('creatures', 'plain', kind);
  return (await readdir(folder))
    .toSorted()
    .slice(0, 4)
    .map((name) => join(folder, name));
}

/** Saves an adapter with a head, both as they are drawn; returns its files. */
async function drawnAdapter(backbone: string, folder: string): Promise<string[]> {
  await setBackend('cpu');
  const model = (await loadSegmenter(backbone, { classes: 3, seed: 5 })).inject(lora({ rank: 4 }), 5);
  await savePeft(model, folder);
  model.dispose();
  return (await readdir(folder)).map((name) => join(folder, name));
}

/** What the page shows below a picture, computed here: the share of each class. */
async function legendInNode(backbone: string, adapter: string, picture: string): Promise<string> {
  const model = await loadPeft(await loadSegmenter(backbone, { classes: 3, seed: 1 }), adapter);
  const image = await readImage(picture);
  const { width, height } = model.imageSize;
  const { mean, std } = model.normalization;
  const values = Float32Array.from(
    resizeBilinear(image, width, height).data,
    (byte, i) => (byte / 255 - mean[i % 3]!) / std[i % 3]!,
  );
  const logits = tidy(
    () => model.forward(tensor4d(values, [1, height, width, 3])).dataSync() as Float32Array,
  );
  model.dispose();
  const ids = classesAt(logits, { rows: height, columns: width, classes: 3 }, image);
  const shares = [0, 1, 2].map((id) => (100 * ids.filter((k) => k === id).length) / ids.length);
  return shares.flatMap((share, id) => (share > 0 ? [`class ${id}: ${share.toFixed(1)} %`] : [])).join('');
}

for (const engine of ['webgpu', 'wasm'] as const)
  describe(`docs/browser.html on ${engine}`, () => {
    let browser: Browser;
    let page: Page;
    let folder: string;
    const problems: string[] = [];

    before(async function () {
      if (!existsSync(CHROMIUM)) {
        console.log(`      skipped: no ${CHROMIUM}; apt-get install chromium, or name one with CHROMIUM`);
        return this.skip();
      }
      execFileSync(process.execPath, ['browser/build.mjs'], { cwd: packageRoot });
      folder = await mkdtemp(join(tmpdir(), 'millrace-browser-'));
      browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ['--no-sandbox', ...FLAGS[engine]],
      });
      page = await browser.newPage({ viewport: { width: 1000, height: 1500 } });
      page.on('pageerror', (error) => problems.push(error.message));
      // A page of the disk: nothing may come from a network.
      await page.goto(pathToFileURL(fileURLToPath(new URL('../../docs/browser.html', import.meta.url))).href);
    });
    after(async () => {
      await browser?.close();
      if (folder) await rm(folder, { recursive: true });
      await setBackend('cpu');
    });
    afterEach(() => assert.deepEqual(problems, []));

    const said = async (id: string, text: RegExp) => {
      const output = page.locator(`#${id}`);
      for (;;) {
        // Both at one moment: between two questions the page goes on.
        const { now, state } = await output.evaluate((element) => ({
          now: element.textContent ?? '',
          state: element.getAttribute('class'),
        }));
        if (text.test(now)) return now;
        if (state === 'error' && now) throw new Error(`${id}: ${now}`);
        await new Promise((go) => setTimeout(go, 100));
      }
    };

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
        /expected model.safetensors among the files, got config.json/,
      );
      await page.setInputFiles('#model', backboneFiles(fixtures('vit-creatures')));
      await said('model-said', /^a ViT of \d+ blocks/);
    });

    it('segments a picture with an adapter as Node does', async () => {
      await page.setInputFiles(
        '#adapter',
        await drawnAdapter(fixtures('vit-creatures'), join(folder, 'adapter')),
      );
      await said('adapter-said', /^lora, 3 classes/);
      const [picture] = await embedded('images');
      await page.setInputFiles('#picture', picture!);
      await said('picture-said', /segmented in/);
      const legend = (await page.locator('#legend').textContent())!;
      assert.equal(legend, await legendInNode(fixtures('vit-creatures'), join(folder, 'adapter'), picture!));
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

    it('segments a photograph with DeiT-Tiny as Node does, all dropped on the page', async function () {
      const deit = needsSharedData(this, 'vit_deit_tiny_patch16_224');
      const photograph = needsSharedData(this, 'oxford_pets_3breeds', 'images', 'Abyssinian_1.jpg');
      // Chromium's decoder of JPEG may differ from sharp's by a level.
      const picture = join(folder, 'photograph.png');
      const { width, height } = await sharp(photograph).toFile(picture);
      const drop = (input: string, files: string | string[]) =>
        page.locator('.drop', { has: page.locator(input) }).drop({ files });
      await drop('#model', backboneFiles(deit));
      await said('model-said', /^a ViT of 12 blocks of width 192/);
      await drop('#adapter', await drawnAdapter(deit, join(folder, 'deit-adapter')));
      await said('adapter-said', /^lora, 3 classes/);
      await drop('#picture', picture);
      await said('picture-said', new RegExp(`^${width} × ${height}, segmented in`));
      const legend = (await page.locator('#legend').textContent())!;
      assert.equal(legend, await legendInNode(deit, join(folder, 'deit-adapter'), picture));
    });

    // WebGPU on the processor takes minutes for it.
    if (engine === 'webgpu') return;

    it('trains an adapter of DeiT-Tiny on four photographs', async function () {
      needsSharedData(this, 'vit_deit_tiny_patch16_224');
      const pets = needsSharedData(this, 'oxford_pets_3breeds');
      const names = ['Abyssinian_1', 'Abyssinian_10', 'Bengal_1', 'american_bulldog_10'];
      await page.setInputFiles(
        '#images',
        names.map((name) => join(pets, 'images', `${name}.jpg`)),
      );
      await page.setInputFiles(
        '#masks',
        names.map((name) => join(pets, 'annotations', 'trimaps', `${name}.png`)),
      );
      await page.selectOption('#kind', 'localized_lora');
      await page.fill('#epochs', '4');
      await page.click('#train');
      const text = await said('train-said', /^trained for 8 steps/);
      const [first, last] = [...text.matchAll(/\d\.\d+/g)].map(Number) as [number, number];
      assert.ok(last < 0.8 * first, text);
      await said('picture-said', /segmented in/);
    });
  });
