import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { UserError } from '../../src/base/errors.js';
import { selectRuns } from '../../src/experiment/select-runs.js';
import { loadTrained, trainedRuns } from '../../src/experiment/trained-runs.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';
import { readCheckpoint } from '../../src/train/read-checkpoint.js';
import { tinyBackbone, untrained } from '../recipes/trained.js';
import { editInfo } from '../train/edit-info.js';

async function refuses(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

describe('trainedRuns', () => {
  let dir: string;
  let models: string;
  let backbone: string;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    models = join(dir, 'models');
    backbone = await tinyBackbone(join(models, 'backbone'));
    for (const seed of [1, 2]) await untrained(models, backbone, { seed });
    await untrained(models, backbone, { seed: 1, adapter: 'serial_lora' });
    mkdirSync(join(models, '.unfinished'));
    writeFileSync(join(models, 'notes.txt'), 'mine');
  });
  after(() => rmSync(dir, { recursive: true }));
  const names = async (path: string) => (await trainedRuns(path)).map(({ name }) => name);

  it('finds the runs of a folder by name, and skips other folders', async () => {
    assert.deepEqual(await names(models), ['lora_1_0.2', 'lora_2_0.2', 'serial_lora_1_0.2']);
  });

  it("takes one run's folder and one checkpoint, too", async () => {
    assert.deepEqual(await names(join(models, 'lora_2_0.2')), ['lora_2_0.2']);
    assert.deepEqual(await names(join(models, 'lora_2_0.2', 'step-00000000')), ['lora_2_0.2']);
  });

  it('refuses a folder without a checkpoint, and a checkpoint of something else', async () => {
    await refuses(trainedRuns(join(dir, 'nowhere')), /nowhere: expected a checkpoint, got nothing there/);
    await refuses(
      trainedRuns(join(models, 'notes.txt')),
      /notes\.txt: expected a checkpoint, got a file in place of a folder/,
    );
    await refuses(trainedRuns(backbone), /backbone: expected a checkpoint, got none; train first/);
    mkdirSync(join(dir, 'killed', 'lora_3_1'), { recursive: true });
    await refuses(trainedRuns(join(dir, 'killed')), /lora_3_1: expected a checkpoint, got none/);
    const path = await untrained(join(dir, 'foreign'), backbone, { maskIds: undefined });
    await refuses(trainedRuns(path), /checkpoint\.json: expected the settings .* got config\.maskIds: /);
  });

  it('reads only the runs that are named, whatever lies beside them', async () => {
    const folder = join(dir, 'mixed');
    await untrained(folder, backbone, { seed: 1 });
    await untrained(folder, backbone, { seed: 2, maskIds: undefined });
    await refuses(trainedRuns(folder), /lora_2_0\.2.*expected the settings/);
    const [run, ...others] = await trainedRuns(folder, { runName: ['lora_1_0.2'] });
    assert.deepEqual([run!.name, others], ['lora_1_0.2', []]);
    await refuses(
      trainedRuns(folder, { runName: ['lora_3_0.2'] }),
      /expected a checkpoint of a run with name lora_3_0\.2, got runs lora_1_0\.2, lora_2_0\.2/,
    );
  });

  it('selects by name, or by every combination of what is asked for', async () => {
    const runs = await trainedRuns(models);
    const none = { runName: [], loraType: [], randomSeed: [], dataPercentage: [] };
    const select = (asked: Partial<typeof none> & object) =>
      selectRuns(runs, { ...none, ...asked }).map(({ name }) => name);
    assert.equal(select({}).length, 3);
    assert.deepEqual(select({ loraType: ['lora'] as never }), ['lora_1_0.2', 'lora_2_0.2']);
    assert.deepEqual(select({ randomSeed: [1] as never, dataPercentage: [0.2] as never }), [
      'lora_1_0.2',
      'serial_lora_1_0.2',
    ]);
    assert.deepEqual(select({ runName: ['lora_2_0.2'] as never }), ['lora_2_0.2']);
    assert.throws(
      () => select({ loraType: ['lora', 'serial_lora'] as never, randomSeed: [2] as never }),
      /expected a checkpoint of a run with adapter serial_lora, seed 2, got runs lora_1_0\.2, /,
    );
  });

  it('loads the weights of the checkpoint, and frees what it had made where they do not fit', async () => {
    const [run] = await trainedRuns(models);
    const model = await loadTrained(run!);
    assert.equal(model.adapter?.name, 'lora');
    model.dispose();

    const before = memory().numTensors;
    const path = await untrained(join(dir, 'two'), backbone);
    editInfo(path, (text) => text.replace('"classes": 3', '"classes": 2'));
    const [two] = await trainedRuns(path);
    await refuses(
      loadTrained(two!),
      /step-00000000: expected the parameters of this model.*\[6,3\] for \[6,2\]/,
    );
    const weights = join(path, 'parameters.safetensors');
    writeFileSync(weights, readFileSync(weights).subarray(0, -8));
    await refuses(loadTrained(two!), /parameters\.safetensors: /);
    assert.equal(memory().numTensors, before);
  });

  it('names the checkpoint whose record makes no model', async () => {
    const path = await untrained(join(dir, 'wide'), backbone);
    editInfo(path, (text) => text.replace('"rank": 2', '"rank": 99'));
    const [run] = await trainedRuns(path);
    await refuses(loadTrained(run!), /step-00000000: its model cannot be built: rank: expected at most/);
    editInfo(path, (text) =>
      text.replace('"rank": 99', '"rank": 2').replace(/"targets": \[[^\]]*\]/, '"targets": {}'),
    );
    const [other] = await trainedRuns(path);
    await refuses(loadTrained(other!), /its model cannot be built: targets: expected a list, got \{\}/);
  });

  it('loads what an adapter has trained of the backbone', async () => {
    const path = await untrained(join(dir, 'tuned'), backbone, { adapter: 'bitfit' });
    const [run] = await trainedRuns(path);
    const [model, plain] = [await loadTrained(run!), await loadSegmenter(backbone, { classes: 3, seed: 42 })];
    const { parameters } = await readCheckpoint(path);
    const biases = [...parameters.keys()].filter((name) => !name.startsWith('head.'));
    assert.equal(biases.length, 6 + 2 + 2);
    for (const name of biases) {
      assert.deepEqual(model.parameters.get(name).dataSync(), parameters.get(name)!.data);
      assert.notDeepEqual(model.parameters.get(name).dataSync(), plain.parameters.get(name).dataSync());
    }
    model.dispose();
    plain.dispose();
  });
});
