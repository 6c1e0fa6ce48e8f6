import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCell } from '../../src/experiment/cell.js';

describe('openCell', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('writes the flags of a run, with its folders', async () => {
    const { config, finished } = await openCell(dir, 'lora_1_1', { epochs: 2, threads: undefined });
    assert.equal(finished, false);
    assert.deepEqual(JSON.parse(readFileSync(config, 'utf8')), {
      epochs: 2,
      runName: 'lora_1_1',
      outDir: join(dir, 'models'),
      logDir: join(dir, 'logs'),
      plotDir: join(dir, 'plots'),
    });
  });

  it('is finished where the run has left its summary', async () => {
    mkdirSync(join(dir, 'logs/lora_1_1'), { recursive: true });
    writeFileSync(join(dir, 'logs/lora_1_1/summary.json'), '{}');
    assert.equal((await openCell(dir, 'lora_1_1', {})).finished, true);
    assert.equal((await openCell(dir, 'lora_2_1', {})).finished, false);
  });

  it('takes other settings until its training has begun', async () => {
    await openCell(dir, 'a', { imageDir: 'nowhere' });
    const { config } = await openCell(dir, 'a', { imageDir: 'images' });
    assert.match(readFileSync(config, 'utf8'), /"imageDir": "images"/);
    mkdirSync(join(dir, 'models/a'), { recursive: true });
    await assert.rejects(openCell(dir, 'a', { imageDir: 'pictures' }), /imageDir "images", got "pictures"/);
  });

  it('may be opened again on another engine, and not with other settings', async () => {
    mkdirSync(join(dir, 'logs/a'), { recursive: true });
    await openCell(dir, 'a', { epochs: 2, engine: 'cpu' });
    await openCell(dir, 'a', { epochs: 2, engine: 'wasm', threads: 2 });
    await assert.rejects(openCell(dir, 'a', { epochs: 3, engine: 'wasm' }), {
      name: 'UserError',
      message: /cells\/a\.json: expected the settings .* epochs 2, got 3; go on with the same flags/,
    });
    writeFileSync(join(dir, 'cells/a.json'), '{');
    await assert.rejects(openCell(dir, 'a', { epochs: 2 }), { name: 'UserError', message: /remove it/ });
  });
});
