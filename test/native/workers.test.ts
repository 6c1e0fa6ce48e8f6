import assert from 'node:assert/strict';
import { inProcess, needOnednn } from './onednn.js';

/** Worker threads, one after another, which load the addon and fill 32 MB; what the process holds after each, in MB. */
const program = `
  import { Worker } from 'node:worker_threads';
  import { addonPath } from './src/engine/onednn/addon.ts';
  const work = \`
    import { createRequire } from 'node:module';
    import { workerData } from 'node:worker_threads';
    const addon = createRequire(workerData)(workerData);
    addon.start(1, false);
    addon.write(0, new Float32Array(8 << 20).fill(1));
    addon.readSync(0);
  \`;
  const resident = [];
  for (let i = 0; i < 12; i++) {
    await new Promise((done, failed) =>
      new Worker(work, { eval: true, execArgv: ['--input-type=module'], workerData: addonPath() }).on('error', failed).on('exit', done));
    resident.push(process.memoryUsage().rss / 2 ** 20);
  }
  console.log(JSON.stringify(resident));
`;

describe('worker threads that load the addon', () => {
  before(needOnednn);

  it('leave nothing behind when they end', () => {
    const resident = inProcess<number[]>(program);
    const grown = resident.at(-1)! - resident[1]!;
    // Each would leave 32 MB: 320 in all.
    assert.ok(grown < 160, `the process grew by ${grown.toFixed(0)} MB over ten workers`);
  });
});
