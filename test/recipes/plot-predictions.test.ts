import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImage, readMask } from '../../src/data/images/image-file.js';
import { resizeBilinear, resizeNearest } from '../../src/data/pixels/resize.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { plain, tinyBackbone, untrained } from './trained.js';

describe('plot-predictions', () => {
  let dir: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    await untrained(join(dir, 'models'), await tinyBackbone(join(dir, 'backbone')));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const plot = (...args: string[]) => shared.run('plot-predictions', ['--engine', 'cpu', ...args], dir);

  it('draws a sheet for the test split and for each style', async () => {
    const { code, stdout, stderr } = await plot('--num_samples', '2');
    assert.deepEqual([code, stderr], [0, '']);
    const sheets = ['in_domain', 'ink', 'mosaic', 'neon'].map(
      (name) => `plots/predictions/lora_42_0.2/${name}.png`,
    );
    assert.equal(stdout, `${sheets.join('\n')}\n`);
    for (const sheet of sheets) {
      const { width, height } = await readImage(join(dir, sheet));
      // Three panels of 256 across, two rows, the heading and the legend.
      assert.deepEqual([width, height], [3 * 256 + 4 * 12, 30 + 2 * (30 + 256 + 12) + 30 + 12]);
    }
  });

  it('writes each picture by itself: what the model sees, and masks with the ids of the data set', async () => {
    const args = ['--test_domains', 'in_domain', '--images', '1', '--separate', '--output_dir', 'each'];
    const { code, stderr } = await plot(...args);
    assert.deepEqual([code, stderr], [0, '']);
    const folder = join(dir, 'each/lora_42_0.2/in_domain');
    const names = readdirSync(folder).toSorted();
    const stem = names[0]!.replace('_input.png', '');
    assert.deepEqual(
      names,
      ['input', 'prediction', 'target'].map((part) => `${stem}_${part}.png`),
    );
    const source = await readImage(join(plain, 'images', `${stem}.jpg`));
    const input = await readImage(join(folder, names[0]!));
    assert.deepEqual([...input.data], [...resizeBilinear(source, 16, 16).data]);
    const mask = await readMask(join(plain, 'masks', `${stem}.png`));
    const target = await readMask(join(folder, names[2]!));
    const ids = { ...mask, data: Uint8Array.from(mask.data) };
    assert.deepEqual([...target.data], [...resizeNearest(ids, 16, 16)]);
    const prediction = await readMask(join(folder, names[1]!));
    assert([...prediction.data].every((id) => id >= 1 && id <= 3));
  });

  it('refuses a missing run in one line', async () => {
    const { code, stdout, stderr } = await plot('--run-name', 'lora_43_0.2');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^plot-predictions: .*run with name lora_43_0\.2, got runs lora_42_0\.2; .*\n$/);
  });
});
