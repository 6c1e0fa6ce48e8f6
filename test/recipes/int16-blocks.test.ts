import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../../src/engine/tfjs.js';
import { needOnednn } from '../native/onednn.js';
import { outlierBackbone } from '../native/outliers.js';
import { assertSameRun, killedRuns, MOMENTS, resumable } from './killed-runs.js';
import { run } from './run.js';

describe('blocks in int16 of a recipe in int8', () => {
  let dir: string;
  let folder: string;
  before(needOnednn);
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    folder = await outlierBackbone(dir);
  });
  after(() => {
    if (dir) rmSync(dir, { recursive: true });
  });

  it('are the same in a run that is killed and resumed, to the last bit, and are named on standard error', async () => {
    const runs = join(dir, 'runs');
    mkdirSync(runs);
    const flags = await resumable(runs, '--engine=onednn', '--precision=int8', `--model-name=${folder}`);
    const unbroken = mkdtempSync(join(runs, 'unbroken-'));
    const { code, stderr } = await run('train-localized', flags, unbroken);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^int8: in int16 where frozen: block 1; in int8 .* more than 5 %$/m);
    const { folders, later } = await killedRuns(runs, flags, MOMENTS.slice(2, 6));
    for (const cwd of folders) await assertSameRun(cwd, unbroken);
    assert.ok(later > 0, 'no kill came after a checkpoint');
  });
});
