import assert from 'node:assert/strict';
import '../../src/tasks/segmentation/metrics/metric.js';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../src/files/digest.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { accumulate } from '../../src/train/optimizers/accumulate.js';
import { adamW } from '../../src/train/optimizers/adam.js';
import { readSplits } from '../../src/train/read-checkpoint.js';
import { restore } from '../../src/train/restore.js';
import { writeCheckpoint } from '../../src/train/write-checkpoint.js';
import { editInfo } from './edit-info.js';
import { free, type TinyRun, tinyRun } from './tiny.js';

describe('checkpoints', () => {
  let dir: string;
  let run: TinyRun;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    run = tinyRun();
  });
  afterEach(() => {
    free(run);
    rmSync(dir, { recursive: true });
  });

  it('restore no prototype: __proto__ and constructor are ordinary names', async () => {
    const { path } = await checkpointStore(dir).save(run, { epoch: 1 });
    const memory =
      '"memory": {"constructor": {"polluted": 1}, "__proto__": {"polluted": 1}, "toString": {"a": 2}}';
    editInfo(path, (text) => text.replace('"memory": {}', memory));
    restore(run, await checkpointStore(dir).load());
    assert.deepEqual(run.memory['toString'], { a: 2 });
    for (const object of [{}, Object, Object.prototype.toString])
      assert.equal((object as { polluted?: unknown }).polluted, undefined);
    assert(!('a' in Object.prototype.toString));
  });

  it('are refused by name where a digit is another, and may be laid out otherwise', async () => {
    const store = checkpointStore(dir);
    const { path } = await store.save(run, { epoch: 1 });
    const file = join(path, 'checkpoint.json');
    const whole = JSON.stringify(JSON.parse(readFileSync(file, 'utf8')));
    const load = (was: string | RegExp, is: string) => {
      writeFileSync(file, whole.replace(was, is));
      return store.load();
    };
    assert.equal((await load('', '')).info.epoch, 1);
    for (const [was, is, message] of [
      [
        '"epoch":1',
        '"epoch":2',
        /step-\d+\/checkpoint\.json: expected the bytes that were written, got others/,
      ],
      [
        '"checkpoint.json":',
        '"checkpoint.jsom":',
        /checkpoint\.json: expected .*, got sha256.*checkpoint\.jsom/,
      ],
    ] as const)
      await assert.rejects(load(was, is), { name: 'UserError', message });
    // Those of earlier versions have no digest of their own.
    assert.equal((await load(/,"checkpoint\.json":"\w+"/, '')).info.epoch, 1);
  });

  it('whose splits are none are refused by name, though they are as they were written', async () => {
    const { path } = await checkpointStore(dir).save(run, { epoch: 1 });
    for (const text of ['{"train": []}', '{', 'null']) {
      writeFileSync(join(path, 'splits.json'), text);
      const digest = `"sha256": {"splits.json": "${sha256(Buffer.from(text))}", `;
      editInfo(path, (json) => json.replace(/"sha256": \{("splits.json": "\w+", )?\s*/, digest));
      await assert.rejects(readSplits(path), {
        name: 'UserError',
        message: /splits\.json: expected the pictures of each split, got something else; use another/,
      });
    }
  });

  it('are whole where the run is stopped, and disposed, while they are written, and not there where it was before', async () => {
    const details = { epoch: 1, score: null, config: {}, versions: {} };
    for (let turns = 0; turns < 40; turns++) {
      const store = checkpointStore(join(dir, `${turns}`));
      const stopped = tinyRun({ optimizer: accumulate(2, adamW()) });
      const written = writeCheckpoint(join(store.dir, 'step-00000000'), stopped, details);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      free(stopped);
      await written;
      const resumed = tinyRun({ store, optimizer: accumulate(2, adamW()) });
      await resumed.open({ resume: true });
      free(resumed);
      const later = join(store.dir, 'step-00000001');
      await assert.rejects(writeCheckpoint(later, stopped, details), {
        name: 'UserError',
        message: /disposed/,
      });
      assert.equal((await store.list()).length, 1);
    }
  });

  it('of an earlier run are removed only where that is asked for', async () => {
    const store = checkpointStore(dir);
    const begun = tinyRun({ store, logs: join(dir, 'logs') });
    await begun.save(1);
    await assert.rejects(begun.open(), { name: 'UserError', message: /--overwrite/ });
    assert.equal((await store.list()).length, 1);
    await begun.open({ overwrite: true });
    assert.deepEqual(begun.earlier, []);
    assert.equal((await store.list()).length, 0);
    free(begun);
  });

  it('go on from another folder, where the same paths are typed otherwise', async () => {
    const typed = [join(dir, 'data'), `${dir}/./data`, join(dir, 'other')];
    for (const path of ['data', 'other']) mkdirSync(join(dir, path));
    const store = checkpointStore(join(dir, 'models'));
    const resume = async (imageDir: string | undefined, save = false) => {
      const resumed = tinyRun({ store, logs: dir, config: { imageDir, rank: 4 } });
      try {
        await (save ? resumed.save(1) : resumed.open({ resume: true }));
      } finally {
        free(resumed);
      }
    };
    await resume(typed[0], true);
    await resume(typed[1]);
    await assert.rejects(resume(typed[2]), {
      name: 'UserError',
      message: /imageDir ".*data", got ".*other"/,
    });
  });
});
