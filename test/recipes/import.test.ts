import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lora } from '../../src/adapters/lora.js';
import { loadPeft } from '../../src/adapters/peft/load-peft.js';
import { savePeft } from '../../src/adapters/peft/save-peft.js';
import { oneRun } from '../../src/experiment/one-run.js';
import { loadTrained } from '../../src/experiment/trained-runs.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone } from './trained.js';

describe('import', () => {
  let dir: string;
  let shared: SharedProcess;
  const run = (recipe: string, ...flags: string[]) => shared.run(recipe, ['--engine=cpu', ...flags], dir);
  const model = ['--model-name=backbone', '--data-percentage=0.2', '--epochs=1'];
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-import-'));
    const backbone = await tinyBackbone(join(dir, 'backbone'));
    const made = (await loadSegmenter(backbone, { classes: 3, seed: 5 })).inject(
      lora({ rank: 2, alpha: 6, rankPattern: { query: 1 }, init: 'gaussian' }),
      9,
    );
    await savePeft(made, join(dir, 'peft'), { attribute: '' });
    made.dispose();
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });

  it('makes a run that is predicted with, exported as it came, and trained on', async () => {
    const imported = await run('import', ...model, '--adapter-dir=peft', '--run-name=pets');
    assert.equal(imported.code, 0, imported.stderr);
    assert.match(imported.stdout, /models\/pets\/step-00000000/);
    const [, flags] = /node recipes\/train\.js (.*)/.exec(imported.stderr)!;
    const trained = await loadTrained(await oneRun(join(dir, 'models', 'pets'), {}));
    const expected = await loadPeft(
      await loadSegmenter(join(dir, 'backbone'), { classes: 3, seed: 5 }),
      join(dir, 'peft'),
    );
    trained.unmerge();
    for (const { name, value } of expected.parameters)
      assert.deepEqual(trained.parameters.get(name).dataSync(), value.dataSync(), name);
    trained.dispose();
    expected.dispose();

    const exported = await run('export', '--model-dir=models/pets', '--format=adapter', '--output-dir=again');
    assert.equal(exported.code, 0, exported.stderr);
    for (const file of ['adapter_model.safetensors', 'head.safetensors'])
      assert.deepEqual(readFileSync(join(dir, 'again', file)), readFileSync(join(dir, 'peft', file)), file);

    const resumed = await run('train', ...model, ...flags!.split(' '));
    assert.equal(resumed.code, 0, resumed.stderr);
  });

  it('refuses an alpha beside a folder, and a folder without an adapter', async () => {
    const beside = await run('import', ...model, '--adapter-dir=peft', '--alpha=2', '--run-name=x');
    assert.match(beside.stderr, /--alpha: expected it with a file of the original study alone/);
    const none = await run('import', ...model, '--adapter-dir=backbone', '--run-name=x');
    assert.match(none.stderr, /expected an adapter that PEFT saved, got nothing there/);
    assert.deepEqual([beside.code, none.code], [1, 1]);
  });
});
