import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resumeNotes } from '../../src/experiment/resume-notes.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { free, tinyRun } from '../train/tiny.js';

describe('resumeNotes', () => {
  let dir: string;
  const store = () => checkpointStore(dir);
  const settings = {
    lr: 2e-3,
    separateLr: false,
    lrVitBackbone: 1e-3,
    lrSegHead: 1e-2,
    epochs: 16,
    schedule: 'trapezoid',
    metric: 'loss',
  } as const;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    const run = tinyRun({ store: store(), config: { epochs: 8 } });
    run.training.position = 80;
    await run.save(8);
    free(run);
  });
  after(() => rmSync(dir, { recursive: true }));

  it('says both rates where a run goes on over more epochs than it began with', async () => {
    // 80 steps decay over the last 16: the last one has 1/16 of 2e-3; of 160 steps the 81st is in the plateau.
    assert.equal(
      await resumeNotes(store(), settings, 10),
      '--epochs 16: the run began with 8; --schedule trapezoid now spans 16, and the learning rate goes from 1.25e-4 at step 80 to 2e-3 at the next\n',
    );
    assert.match(
      await resumeNotes(store(), { ...settings, separateLr: true }, 10),
      /goes from 6.25e-5 and 6.25e-4 at step 80 to 1e-3 and 1e-2 at the next\n$/,
    );
    assert.equal(
      await resumeNotes(store(), { ...settings, schedule: 'constant' }, 10),
      '--epochs 16: the run began with 8; the schedule stays as it is\n',
    );
  });

  it('says nothing where nothing has changed, or nothing was there', async () => {
    assert.equal(await resumeNotes(store(), { ...settings, epochs: 8 }, 10), '');
    assert.equal(await resumeNotes(checkpointStore(join(dir, 'none')), settings, 10), '');
  });
});
