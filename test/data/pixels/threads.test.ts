import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { imagesAddon } from '../../../src/data/pixels/addon.js';

/** How far this process's threads give way to others, by Linux's nice values. */
function niceValues(): number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

describe('the threads of the images addon', () => {
  const addon = imagesAddon();
  before(function () {
    if (addon) return;
    console.log('      skipped: native/build/images.node is not here (npm run build:images)');
    this.skip();
  });

  it('give way to the event loop', async function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: nice values of threads are read on Linux');
      this.skip();
    }
    const [pixels, out] = [new Uint8Array(12), new Uint8Array(12)];
    await addon!.resizeBilinear({ width: 2, height: 2, toWidth: 2, toHeight: 2, channels: 3, pixels, out });
    const values = niceValues();
    assert.ok(values.includes(Math.min(19, values[0]! + 10)), values.join());
  });

  it('outlive a worker that ends with work begun and queued, and go on for others', async () => {
    const path = process.env['MILLRACE_IMAGES_ADDON'] ?? 'native/build/images.node';
    const program = `
      const addon = require('node:path').resolve(${JSON.stringify(path)});
      const pixels = new Uint8Array(3 * 700 * 700);
      for (let i = 0; i < 40; i++)
        require(addon).resizeBilinear({ width: 700, height: 700, toWidth: 500, toHeight: 500, channels: 3, pixels, out: new Uint8Array(3 * 500 * 500) });
      process.exit(7);`;
    const codes = await Promise.all(
      [1, 2, 3].map(
        () =>
          new Promise((resolve, reject) => {
            new Worker(program, { eval: true }).on('exit', resolve).on('error', reject);
          }),
      ),
    );
    assert.deepEqual(codes, [7, 7, 7]);
    const [pixels, out] = [new Uint8Array(12).fill(5), new Uint8Array(12)];
    await addon!.resizeBilinear({ width: 2, height: 2, toWidth: 2, toHeight: 2, channels: 3, pixels, out });
    assert.deepEqual(out, pixels);
  });
});
