import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScoreRow } from '../../src/experiment/score-files.js';
import type { Summary } from '../../src/loggers/summary.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { type Ended, type SharedProcess, sharedProcess } from '../recipes/run.js';
import { tinyBackbone, tinyFlags } from '../recipes/tiny-backbone.js';

/** What each task promises: the recipe that trains it, a run's default name, and the score that leads. */
const TASKS = [
  {
    task: 'segmentation',
    recipe: 'train',
    name: 'lora_42_0.1',
    leads: 'softDice',
    curve: 'dice',
    share: '0.1',
  },
  {
    task: 'classification',
    recipe: 'train-classifier',
    name: 'classifier_lora_42_0.25',
    leads: 'accuracy',
    curve: 'accuracy',
    share: '0.25',
  },
] as const;

for (const { task, recipe, name, leads, curve, share } of TASKS)
  describe(`the task ${task}`, () => {
    let dir: string;
    let shared: SharedProcess;
    let backbone: string;
    let whole: Ended;

    const train = (cwd: string, ...args: string[]) =>
      shared.run(
        recipe,
        tinyFlags(
          backbone,
          `--data-percentage=${share}`,
          '--split=upstream',
          '--schedule=constant',
          '--augment=flip',
          '--mix=cutmix,mosaic',
          '--scales=0.5,1',
          ...args,
        ),
        join(dir, cwd),
      );
    const summaryOf = (cwd: string, run: string = name) =>
      JSON.parse(readFileSync(join(dir, cwd, 'logs', run, 'summary.json'), 'utf8')) as Summary;
    const weights = async (cwd: string) => {
      const { parameters } = await checkpointStore(join(dir, cwd, 'models', name)).load();
      return [...parameters].map(([key, { data }]) => [key, [...data]]);
    };

    before(async () => {
      shared = sharedProcess();
      dir = mkdtempSync(join(tmpdir(), 'millrace-'));
      backbone = await tinyBackbone(dir);
      whole = await train('.');
      assert.equal(whole.code, 0, whole.stderr);
    });
    after(() => {
      shared.close();
      rmSync(dir, { recursive: true });
    });

    it('trains, is tested, and ends with its scores and files', () => {
      const { validation, test } = summaryOf('.');
      assert(typeof test![leads] === 'number' && typeof validation![leads] === 'number');
      assert.match(whole.stderr, new RegExp(`--metric ${leads} chooses the best checkpoint`));
      assert.match(whole.stdout, /^test {8}.* by class /m);
      for (const plot of ['loss', curve, 'per-class', 'confusion'])
        assert(existsSync(join(dir, 'plots', name, `${plot}.svg`)), plot);
    });

    it('resumes bit for bit, also with the same scores', async () => {
      const first = await train('.', '--run-name=parts', '--epochs=2');
      assert.equal(first.code, 0, first.stderr);
      const second = await train('.', '--run-name=parts', '--epochs=3', '--resume');
      assert.equal(second.code, 0, second.stderr);
      const at = async (run: string) => {
        const { parameters } = await checkpointStore(join(dir, 'models', run)).load();
        return [...parameters].map(([key, { data }]) => [key, [...data]]);
      };
      assert.deepEqual(await at('parts'), await weights('.'));
      assert.deepEqual(summaryOf('.', 'parts').test, summaryOf('.').test);
    });

    it('is scored to the figures of its training', async () => {
      const { code, stderr } = await shared.run(
        'inference',
        [`--run-name=${name}`, '--test-domains=in_domain', '--engine=wasm'],
        dir,
      );
      assert.equal(code, 0, stderr);
      const [row] = JSON.parse(
        readFileSync(join(dir, 'results/inference/individual.json'), 'utf8'),
      ) as ScoreRow[];
      const wanted = summaryOf('.').test!;
      assert.deepEqual(Object.keys(row!.test), Object.keys(wanted));
      for (const [score, value] of Object.entries(wanted))
        [value].flat().forEach((want, i) => {
          const got = [row!.test[score]!].flat()[i]!;
          assert(Math.abs(got - (want as number)) < 1e-4, `${score}: ${got}, trained ${want}`);
        });
    });

    it('ends with code 1 where it diverges', async () => {
      const { code, stderr } = await train('.', '--run-name=lost', '--lr=1e30', '--optimizer=sgd');
      assert.equal(code, 1, stderr);
      assert.match(stderr, /the guard stopped the run at step \d+, since it diverged/);
      assert.equal(summaryOf('.', 'lost').diverged, true);
    });

    it('refuses a resume under other settings in one line, with all of them and the flags to repeat', async () => {
      const others = ['--batch-size=2', '--image-dir=elsewhere', '--clip=1', '--separate-lr', '--epochs=9'];
      const { code, stderr } = await train('.', `--run-name=${name}`, '--resume', ...others);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^[\w-]+: .*step-\d+: expected the settings that the run began with, [^\n]*, or start another run with --run-name\n$/,
      );
      const changes = /began with, (.*)\n/.exec(stderr)![1]!.split('; ');
      assert(changes.includes('batchSize 4, got 2'), stderr);
      assert(changes.includes('clip unset, got 1'), stderr);
      assert(
        changes.some((change) => /^imageDir .*, got "elsewhere"$/.test(change)),
        stderr,
      );
      const flags = changes.at(-1)!;
      assert.match(flags, /^resume with .*--batch-size 4/);
      assert.match(flags, / and without (--image-dir, )?--clip, or start/);
      assert.match(flags, /--no-separate-lr/);
      assert.doesNotMatch(flags, /--epochs/);
    });
  });
