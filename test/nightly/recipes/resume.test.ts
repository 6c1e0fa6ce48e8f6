import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '../../../src/random/random-stream.js';
import { need, TESTED, type TestedEngine } from '../../engine/tested-engines.js';
import { assertSameRun, killedRuns, MOMENTS, resumable, unbrokenRun } from '../../recipes/killed-runs.js';

const KILLS = 20;

describe('--resume, at random moments', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  it(`ends with the same weights and events after ${KILLS} kills`, async () => {
    const flags = await resumable(dir);
    const unbroken = await unbrokenRun(dir, flags);
    const random = randomStream(11, 'kills');
    const moments = Array.from({ length: KILLS }, () => ({
      more: Math.floor(16 * random()),
      ms: 20 * random(),
    }));
    const { folders } = await killedRuns(dir, flags, moments);
    for (const cwd of folders) await assertSameRun(cwd, unbroken);
  });
});

// On webgpu a step of a processor takes seconds; wasm is in test/recipes.
for (const engine of ['onednn', 'torch', 'tensorflow'] as const satisfies TestedEngine[])
  describe(`--resume on the ${engine} engine`, () => {
    let dir: string;
    before(need(engine));
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    });
    afterEach(() => rmSync(dir, { recursive: true }));

    for (const precision of TESTED[engine])
      it(`in ${precision} ends with the same weights and events after kills in each phase`, async () => {
        const device = engine === 'torch' ? ['--device=cpu'] : [];
        const flags = await resumable(dir, `--engine=${engine}`, `--precision=${precision}`, ...device);
        const unbroken = await unbrokenRun(dir, flags);
        const { folders, later } = await killedRuns(dir, flags, MOMENTS);
        for (const cwd of folders) await assertSameRun(cwd, unbroken);
        assert(later > 3, `${later} kills came after a checkpoint`);
      });
  });
