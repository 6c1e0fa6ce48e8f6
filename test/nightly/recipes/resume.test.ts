import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '../../../src/random/random-stream.js';
import { assertSameRun, killedRuns, resumable, unbrokenRun } from '../../recipes/killed-runs.js';

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
