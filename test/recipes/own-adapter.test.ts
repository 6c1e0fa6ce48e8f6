import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { readCheckpointInfo } from '../../src/train/read-checkpoint.js';
import { run, type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone } from './trained.js';

/** An adapter that says all of itself: its flags, its search space and its size. */
const GAINED = `
import { adapters, defineAdapter, lora } from 'millrace';
import { z } from 'zod';

adapters.register('gained', defineAdapter(({ rank, gain, signed }) => ({
  ...lora({ rank, alpha: gain * rank }),
  name: 'gained',
  settings: { rank, gain, signed },
  peft: undefined,
}), {
  description: 'with gained LoRA',
  flags: {
    rank: z.int().min(1).default(2).describe('rank of the update'),
    gain: z.number().gt(0).default(1).describe('weight of the update'),
    signed: z.boolean().default(false).describe('a switch'),
  },
  search: { gain: { choices: [0.5, 1, 2] } },
  atRank: (rank, scale) => ({ rank, gain: scale }),
}));
`;

describe("an adapter of a user's own", () => {
  let dir: string;
  /** Where the plugin is loaded, since commands name it. What finds it by itself has a process of its own. */
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    // Beside the package, so that a plugin finds millrace.
    dir = mkdtempSync(join(import.meta.dirname, 'own-adapter-'));
    mkdirSync(join(dir, 'own'));
    writeFileSync(join(dir, 'own', 'gained.mjs'), GAINED);
    await tinyBackbone(join(dir, 'backbone'));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });

  const plugin = '--plugin=own/gained.mjs';
  const tiny = ['--model-name=backbone', '--data-percentage=10%', '--epochs=1', '--engine=wasm'];
  const endsWell = async (start: typeof run, recipe: string, ...args: string[]) => {
    const ended = await start(recipe, args, dir);
    assert.equal(ended.code, 0, ended.stderr);
    return ended;
  };
  const ok = (recipe: string, ...args: string[]) => endsWell(shared.run, recipe, ...args);
  const okAlone = (recipe: string, ...args: string[]) => endsWell(run, recipe, ...args);
  const record = async (name: string, models = 'models') => {
    const { config } = await readCheckpointInfo((await checkpointStore(join(dir, models, name)).last())!);
    return config as Record<string, unknown> & { model: { adapter: { settings: object } } };
  };

  it('lists its flags in the help, and refuses bad values', async () => {
    const { stdout } = await ok('train', plugin, '--adapter=gained', '--help');
    assert.match(stdout, /^Trains a ViT for segmentation with gained LoRA/m);
    assert.match(stdout, /--gain X +weight of the update \(a number above 0; default 1\)/);
    assert.doesNotMatch(stdout, /--r-block/);
    const search = await ok('hyperparam-optim', plugin, '--lora-type=gained', '--help');
    assert.match(search.stdout, /--\[no-\]signed +a switch/);
    assert.doesNotMatch(search.stdout, /--gain/);
    const study = await ok('data-percentage', plugin, '--lora-type=lora,gained', '--help');
    assert.match(study.stdout, /--gain X +weight of the update; default: the adapter's/);
    const refuses = async (message: RegExp, ...args: string[]) => {
      const { code, stderr } = await shared.run('train', args, dir);
      assert.deepEqual([code, message.test(stderr)], [1, true], stderr);
    };
    await refuses(
      /^train: --gain: expected a number above 0, got 0\n$/,
      plugin,
      '--adapter=gained',
      '--gain=0',
    );
    await refuses(/^train: --r-block: unknown flag/, plugin, '--adapter=gained', '--r-block=2');
    await refuses(/^train: --adapter: .*got "gianed"; did you mean gained\?\n$/, plugin, '--adapter=gianed');
    await refuses(/^train: --lora-type: .*did you mean localized_lora\?\n$/, '--lora-type=localised_lora');
  });

  it('is trained by a config file, and resumed without its plugin named', async () => {
    writeFileSync(
      join(dir, 'gained.yaml'),
      'plugin: [own/gained.mjs]\nadapter: gained\ngain: 2\nsigned: true\nrunName: mine\n',
    );
    await ok('train', ...tiny, '--config=gained.yaml');
    const { gain, loraType, model } = await record('mine');
    assert.deepEqual({ gain, loraType }, { gain: 2, loraType: 'gained' });
    assert.deepEqual(model.adapter.settings, { rank: 2, gain: 2, signed: true });
    const same = ['--adapter=gained', '--gain=2', '--signed', '--run-name=mine', '--resume'];
    await okAlone('train', ...tiny, ...same, '--epochs=2');
    const resumed = await record('mine');
    assert.match(String(resumed['plugin']), /own\/gained\.mjs$/);
    assert.equal(resumed['epochs'], 2);
    const other = await shared.run('train', [...tiny, ...same, '--gain=3'], dir);
    assert.match(other.stderr, /expected the settings that the run began with, gain 2, got 3/);
  });

  it('is searched, again without its plugin named, and its best.yaml trains', async () => {
    const search = ['hyperparam-optim', ...tiny, '--lora-type=gained', '--signed'] as const;
    await ok(...search, plugin, '--n-trials=1');
    const { stdout } = await okAlone(...search, '--n-trials=3');
    assert.match(stdout, /^trial 1 .*"gain":(0\.5|1|2),"lr":/m);
    const best = parse(
      readFileSync(join(dir, 'results/hyperparam-optim/gained/best.yaml'), 'utf8'),
    ) as Record<string, unknown>;
    assert.deepEqual([best['loraType'], best['signed']], ['gained', true]);
    await okAlone('train', '--config=results/hyperparam-optim/gained/best.yaml', '--run-name=best');
    assert.equal((await record('best'))['gain'], best['gain']);
  });

  it('is compared with the head alone and other adapters, by ranks and by shares of the data', async () => {
    const ranks = ['ablate-rank', ...tiny, '--random-seed=1', '--output-dir=ranks', '--scale=3'] as const;
    await ok(...ranks, plugin, '--lora-type=gained', '--rank=1', '--signed');
    const cell = await record('gained_r1_1', 'ranks/models');
    assert.deepEqual(cell.model.adapter.settings, { rank: 1, gain: 3, signed: true });
    const again = await okAlone(...ranks, '--lora-type=gained', '--rank=1,2', '--signed');
    assert.match(again.stderr, /^2 runs, 1 to be trained\n/);
    const unsized = await shared.run('ablate-rank', ['--lora-type=bitfit', '--output-dir=unsized'], dir);
    assert.match(unsized.stderr, /--lora-type: expected adapters whose size is a rank, got bitfit\n$/);

    const shares = [
      'data-percentage',
      ...tiny,
      '--random-seed=1',
      '--output-dir=shares',
      '--style=neon',
    ] as const;
    const { stdout } = await ok(...shares, plugin, '--lora-type=head,dora,gained', '--gain=2');
    for (const row of ['head', 'dora', 'gained']) assert.match(stdout, new RegExp(`^\\| ${row} \\|`, 'm'));
    const { loraType, rank, gain } = await record('gained_1_0.1', 'shares/models');
    assert.deepEqual({ loraType, rank, gain }, { loraType: 'gained', rank: 4, gain: 2 });
  });

  it('is named by the run or the study when its plugin is gone', async () => {
    renameSync(join(dir, 'own', 'gained.mjs'), join(dir, 'moved.mjs'));
    shared.close();
    shared = sharedProcess();
    const gone = async (message: RegExp, recipe: string, ...args: string[]) => {
      const { code, stderr } = await shared.run(recipe, args, dir);
      assert.deepEqual([code, message.test(stderr)], [1, true], stderr);
    };
    const end = 'gained\\.mjs, got no such module; name its new place with --plugin\\n$';
    const resume = ['--adapter=gained', '--gain=2', '--signed', '--run-name=mine', '--resume', '--epochs=3'];
    await gone(
      new RegExp(`^train: models/mine/step-\\d+: expected the run's plugin .*${end}`),
      'train',
      ...tiny,
      ...resume,
    );
    await gone(
      new RegExp(`^hyperparam-optim: study gained: expected its plugin .*${end}`),
      'hyperparam-optim',
      '--lora-type=gained',
    );
    await gone(
      new RegExp(`^ablate-rank: ranks/cells/gained_r1_1\\.json: expected the study's plugin .*${end}`),
      'ablate-rank',
      '--output-dir=ranks',
    );
    await ok('train', ...tiny, ...resume, '--plugin=moved.mjs');
  });
});
