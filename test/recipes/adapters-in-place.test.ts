import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { lora } from '../../src/adapters/lora.js';
import { loadPeft } from '../../src/adapters/peft/load-peft.js';
import { savePeft } from '../../src/adapters/peft/save-peft.js';
import { oneRun } from '../../src/experiment/one-run.js';
import { loadTrained } from '../../src/experiment/trained-runs.js';
import { normal, randomStream } from '../../src/random/random-stream.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';
import { close } from '../peers/torch/close.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { plain, tinyBackbone, untrained } from './trained.js';

describe('--adapter', () => {
  let dir: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    const backbone = await tinyBackbone(join(dir, 'backbone'));
    await untrained(join(dir, 'models'), backbone);
    for (const [seed, name] of [
      [1, 'day'],
      [2, 'night'],
    ] as const) {
      const model = await loadSegmenter(backbone, { classes: 3, seed });
      model.inject(lora({ rank: 2, alpha: 4 }), seed);
      for (const { name: parameter, value, group } of model.parameters) {
        if (group === 'backbone') continue;
        const random = randomStream(seed, parameter);
        const moved = Float32Array.from(value.dataSync(), () => 0.5 * normal(random));
        model.parameters.set(parameter, tensor(moved, value.shape));
      }
      await savePeft(model, join(dir, 'adapters', name));
      model.dispose();
    }
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const run = (recipe: string, ...flags: string[]) =>
    shared.run(recipe, ['--engine=cpu', '--model-dir=models', ...flags], dir);
  const predicted = (...folders: string[]) =>
    readFileSync(join(dir, ...folders, 'masks', 'bear_10.png')).toString('base64');
  const images = ['--image-dir', join(plain, 'images')];

  it('predicts with one adapter as with the model that has it, and with several into a folder each', async () => {
    for (const [out, ...more] of [
      ['own'],
      ['one', '--adapter=adapters/day'],
      ['both', '--adapter=day=adapters/day,b=adapters/night'],
    ] as const) {
      const { code, stderr } = await run(
        'predict',
        ...images,
        `--output-dir=${out}`,
        '--no-overlays',
        ...more,
      );
      assert.deepEqual([code, stderr], [0, '']);
    }
    assert.equal(predicted('both', 'day'), predicted('one'));
    const all = new Set([predicted('own'), predicted('one'), predicted('both', 'b')]);
    assert.equal(all.size, 3);
  });

  it('scores each adapter as a row of its own', async () => {
    const flags = [
      '--adapter=adapters/day,adapters/night',
      '--test-domains=in_domain',
      '--output-dir=scores',
    ];
    const { code, stderr } = await run('inference', ...flags);
    assert.equal(code, 0, stderr);
    const rows = JSON.parse(readFileSync(join(dir, 'scores/individual.json'), 'utf8')) as {
      run: string;
      test: { miou: number };
    }[];
    assert.deepEqual(
      rows.map(({ run: name }) => name),
      ['lora_42_0.2 day', 'lora_42_0.2 night'],
    );
    assert.notEqual(rows[0]!.test.miou, rows[1]!.test.miou);
  });

  it("exports a combination with the run's head, and a card that claims no scores", async () => {
    const flags = [
      '--adapter=adapters/day',
      '--combine=run:0.5,day:0.25',
      '--format=adapter',
      '--output-dir=sum',
    ];
    const { code, stderr } = await run('export', ...flags);
    assert.deepEqual([code, stderr], [0, '']);
    const base = () => loadSegmenter(join(dir, 'backbone'), { classes: 3, seed: 5 });
    const sum = await loadPeft(await base(), join(dir, 'sum'));
    const day = await loadPeft(await base(), join(dir, 'adapters', 'day'));
    const own = await loadTrained(await oneRun(join(dir, 'models'), {}));
    own.unmerge();
    const weight = (model: typeof sum, merged: boolean) => {
      if (merged) model.merge();
      return model.parameters.get('layers.0.query.weight').clone();
    };
    tidy(() => {
      const plainWeight = weight(own as typeof sum, false);
      const change = (model: typeof sum) => weight(model, true).sub(plainWeight);
      const expected = change(own as typeof sum)
        .mul(0.5)
        .add(change(day).mul(0.25));
      close(change(sum), expected.dataSync() as Float32Array, 'change');
    });
    assert.deepEqual(
      sum.parameters.get('head.classify.weight').arraySync(),
      own.parameters.get('head.classify.weight').arraySync(),
    );
    for (const model of [sum, day, own]) model.dispose();
    const card = readFileSync(join(dir, 'sum/README.md'), 'utf8');
    assert.match(card, /In place of that adapter it has the sum 0\.5 × run \+ 0\.25 × day/);
    assert.match(card, /It has not been scored with these adapters/);
  });

  it('refuses two of one name, weights of what is not there, and several where one is exported', async () => {
    for (const [recipe, flags, message] of [
      [
        'predict',
        ['--adapter=adapters/day,other/day', ...images],
        /--adapter: expected names of their own .*, got day/,
      ],
      [
        'export',
        ['--adapter=adapters/day', '--combine=night:1'],
        /--combine: expected names of --adapter or run, got night/,
      ],
      ['export', ['--combine=day'], /--combine: expected name:weight/],
      ['export', ['--adapter=adapters/day,adapters/night'], /--adapter: expected one, got 2/],
      [
        'predict',
        ['--adapter=nowhere', ...images],
        /nowhere.*expected an adapter that PEFT saved, got nothing there/,
      ],
    ] as const) {
      const { code, stderr } = await run(recipe, ...flags, '--output-dir=refused');
      assert.equal(code, 1, stderr);
      assert.match(stderr, message);
    }
    assert.ok(!existsSync(join(dir, 'refused', 'README.md')));
  });
});
