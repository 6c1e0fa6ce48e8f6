import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRun } from '../../src/experiment/open-run.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { free, tinyRun } from '../train/tiny.js';

describe('openRun', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const at = (...path: string[]) => join(dir, ...path);
  const open = (changes: object = {}) =>
    openRun('run', {
      outDir: at('models'),
      logDir: at('logs'),
      plotDir: at('plots'),
      cache: 'disk',
      cacheDir: at('cache'),
      resume: false,
      overwrite: false,
      ...changes,
    });
  const refuses = (work: Promise<unknown>, message: RegExp) =>
    assert.rejects(work, { name: 'UserError', message });
  const write = (path: string, text = '') => {
    mkdirSync(join(at(path), '..'), { recursive: true });
    writeFileSync(at(path), text);
  };

  it('is for one process at a time, and leaves nothing that was not written', async () => {
    const { models, logs, pictures, recorded, close } = await open();
    assert.deepEqual([models, logs, pictures], [at('models/run'), at('logs/run'), at('plots/run')]);
    assert.equal(recorded, undefined);
    await refuses(open({ overwrite: true }), /models\/run: expected a folder that no other process/);
    await refuses(open({ outDir: at('others') }), /logs\/run: expected a folder that no other process/);
    close();
    assert.deepEqual(readdirSync(dir), []);
  });

  it('refuses a name that an earlier run has, and names the three ways on', async () => {
    const ways = /models\/run: .*continue it with --resume, replace it with --overwrite, or .*--run-name$/;
    mkdirSync(at('models/run/step-00000003'), { recursive: true });
    await refuses(open(), ways);
    rmSync(at('models'), { recursive: true });
    write('logs/run/events.jsonl', '{"type":"run"}\n{"type":"step","step":1}\n');
    await refuses(open(), ways);
    (await open({ overwrite: true })).close();
    (await open({ resume: true })).close();
    await refuses(open({ resume: true, overwrite: true }), /--overwrite: expected it without --resume/);
    write('logs/run/events.jsonl', '{"type":"run"}\n');
    (await open()).close();
  });

  it('tries every folder before anything is computed', async () => {
    for (const name of ['models', 'logs', 'plots', 'cache']) {
      write(name, 'a file');
      await refuses(open(), new RegExp(`${name}.*: expected to write here, but a `));
      assert.deepEqual(readdirSync(dir), [name]);
      rmSync(at(name));
    }
  });

  it('removes the files that killed writers left, but not those of a live one', async () => {
    for (const folder of ['models', 'logs', 'plots']) {
      write(`${folder}/run/.summary.json.${2 ** 30}.unfinished`);
      write(`${folder}/run/.summary.json.${process.ppid}.unfinished`);
    }
    const { close } = await open({ resume: true });
    for (const folder of ['models', 'logs', 'plots'])
      assert.deepEqual(
        readdirSync(at(folder, 'run')).filter((name) => name !== '.lock'),
        [`.summary.json.${process.ppid}.unfinished`],
      );
    close();
  });

  it('brings back the split that the run began with', async () => {
    const pair = (stem: string) => ({ stem, image: `${stem}.jpg`, mask: `${stem}.png` });
    const splits = { train: ['a', 'b'].map(pair), validation: [pair('c')], test: [], unused: [pair('d')] };
    const run = tinyRun({ splits, store: checkpointStore(at('models/run')) });
    await run.save(1);
    free(run);
    const { recorded, close } = await open({ resume: true });
    close();
    assert.deepEqual(recorded, { train: ['a', 'b'], validation: ['c'], test: [], unused: ['d'] });
    writeFileSync(at('models/run/step-00000000/splits.json'), '{}');
    await refuses(open({ resume: true }), /splits\.json: expected the bytes that were written, got others/);
  });
});
