import assert from 'node:assert/strict';
import '../../src/tasks/segmentation/metrics/metric.js';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { earlierRun } from '../../src/experiment/earlier-run.js';
import { crossEntropy } from '../../src/tasks/segmentation/losses/cross-entropy.js';
import { restore } from '../../src/train/checkpoint.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { sgd } from '../../src/train/optimizers/sgd.js';
import { Training } from '../../src/train/training.js';
import { tinyModel } from './tiny.js';

describe('checkpoints', () => {
  let dir: string;
  let run: Training;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    const options = { loss: crossEntropy(), optimizer: sgd(), learningRate: 1, seed: 1 };
    run = new Training({ ...options, model: tinyModel() });
  });
  afterEach(() => {
    run.dispose();
    run.model.dispose();
    rmSync(dir, { recursive: true });
  });

  it('bring back no prototype: __proto__ and constructor are names like others', async () => {
    const { path } = await checkpointStore(dir).save(run, { epoch: 1 });
    const file = join(path, 'checkpoint.json');
    const memory =
      '"memory": {"constructor": {"polluted": 1}, "__proto__": {"polluted": 1}, "toString": {"a": 2}}';
    writeFileSync(file, readFileSync(file, 'utf8').replace('"memory": {}', memory));
    restore(run, await checkpointStore(dir).load());
    assert.deepEqual(run.memory['toString'], { a: 2 });
    for (const object of [{}, Object, Object.prototype.toString])
      assert.equal((object as { polluted?: unknown }).polluted, undefined);
    assert(!('a' in Object.prototype.toString));
  });

  it('of an earlier run are removed only where that is asked for', async () => {
    const store = checkpointStore(dir);
    await store.save(run, { epoch: 1 });
    const options = { resume: false, logs: join(dir, 'logs'), config: {} };
    await assert.rejects(earlierRun(run, store, options), { name: 'UserError', message: /--overwrite/ });
    assert.equal((await store.list()).length, 1);
    assert.deepEqual(await earlierRun(run, store, { ...options, overwrite: true }), []);
    assert.equal((await store.list()).length, 0);
  });

  it('go on from another folder, where the same paths are typed otherwise', async () => {
    const typed = [join(dir, 'data'), `${dir}/./data`, join(dir, 'other')];
    for (const path of ['data', 'other']) mkdirSync(join(dir, path));
    const store = checkpointStore(join(dir, 'models'), { config: { imageDir: typed[0], rank: 4 } });
    await store.save(run, { epoch: 1 });
    const resume = (imageDir: string | undefined) =>
      earlierRun(run, store, { resume: true, logs: dir, config: { imageDir, rank: 4 } });
    await resume(typed[1]);
    await assert.rejects(resume(typed[2]), {
      name: 'UserError',
      message: /imageDir ".*data", got ".*other"/,
    });
  });
});
