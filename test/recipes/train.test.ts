import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '../../src/events/event.js';
import { readEvents } from '../../src/events/read-events.js';
import { withoutClocks } from '../../src/loggers/logger.js';
import type { Summary } from '../../src/loggers/summary.js';
import type { SegmentationTestScores } from '../../src/tasks/segmentation/metrics/segmentation-scores.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { readCheckpoint } from '../../src/train/read-checkpoint.js';
import { type Ended, root, run, type SharedProcess, sharedProcess, start } from './run.js';
import { tinyBackbone, tinyFlags } from './tiny-backbone.js';

const golden = JSON.parse(readFileSync(new URL('golden/train-localized.json', import.meta.url), 'utf8')) as {
  losses: number[];
};

describe('train recipes', () => {
  let dir: string;
  let backbone: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    backbone = await tinyBackbone(dir);
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });

  const at = (...path: string[]) => join(dir, ...path);
  const train = (recipe: string, cwd: string, ...args: string[]) =>
    run(recipe, tinyFlags(backbone, ...args), at(cwd));
  const trainShared = (recipe: string, cwd: string, ...args: string[]) =>
    shared.run(recipe, tinyFlags(backbone, ...args), at(cwd));
  const folder = (name: string) => mkdtempSync(at(`${name}-`)).slice(dir.length + 1);
  const events = (cwd: string, name: string) => readEvents(at(cwd, 'logs', name, 'events.jsonl'));
  const summaryOf = (cwd: string, name: string) =>
    JSON.parse(
      readFileSync(at(cwd, 'logs', name, 'summary.json'), 'utf8'),
    ) as Summary<SegmentationTestScores>;
  const ended = ({ code, stderr }: Ended) => assert.equal(code, 0, stderr);

  describe('train-localized', () => {
    const name = 'localized_lora_42_0.1';
    let cwd: string;
    let first: Ended;
    let log: Event[];
    before(async () => {
      cwd = folder('happy');
      first = await train('train-localized', cwd, '--lr=0.01');
      ended(first);
      log = await events(cwd, name);
    });

    it('says what it does, ends with the scores, and names existing files', () => {
      assert.match(first.stderr, /^wasm: asked for\n/);
      assert.match(first.stderr, /localized_lora_42_0\.1 .* 384 \+ 675 parameters .* on wasm f32/);
      assert.match(first.stderr, /epoch 3\/3 .*train loss/);
      assert.match(first.stdout, /^validation +soft Dice 0\.\d{4} .*\ntest +soft Dice 0\.\d{4} .*\nwrote\n/);
      const named = first.stdout.split('\nwrote\n')[1]!.trim().split(/\n +/);
      for (const path of named) assert(existsSync(at(cwd, path)), path);
      const wanted = ['events.jsonl', 'metrics.csv', 'summary.json'].map((file) => `logs/${name}/${file}`);
      wanted.push(`models/${name}/step-00000012/`);
      for (const plot of ['loss', 'dice', 'learning-rate', 'per-class', 'confusion', 'overlays'])
        wanted.push(`plots/${name}/${plot}.png`);
      for (const path of wanted) assert(named.includes(path), `${path} is not among ${named.join()}`);
      assert.equal(named.filter((path) => path.includes('events.out.tfevents')).length, 1);
    });

    it('logs each step, epoch, validation, picture and checkpoint, the test, and the end', () => {
      const epoch = ['step', 'step', 'step', 'step', 'epoch', 'validation', 'picture', 'checkpoint'];
      assert.deepEqual(
        log.map(({ type }) => type),
        ['run', ...epoch, ...epoch, ...epoch, 'validation', 'done'],
      );
      assert.deepEqual(
        log.filter((event) => event.type === 'validation').map(({ split, images }) => [split, images]),
        [
          ['validation', 4],
          ['validation', 4],
          ['validation', 4],
          ['test', 2],
        ],
      );
    });

    it('leaves a summary of just the fields that are promised, in full precision', () => {
      const summary = summaryOf(cwd, name);
      const { seconds, imagesPerSecond, validation, test, ...rest } = summary;
      assert.deepEqual(rest, {
        run: name,
        adapter: 'localized_lora',
        adapterParameters: 384,
        headParameters: 675,
        engine: 'wasm',
        precision: 'f32',
        seed: 42,
        epochs: 3,
      });
      assert(seconds > 0 && imagesPerSecond > 0);
      const fields = ['softDice', 'softIou', 'dice', 'iou', 'miou', 'accuracy'];
      assert.deepEqual(Object.keys(test!), fields);
      assert.deepEqual(Object.keys(validation!), ['loss', ...fields]);
      const tested = log.findLast((event) => event.type === 'validation')!;
      for (const field of fields)
        assert.deepEqual(test![field as 'dice'], tested.scores[field as 'dice'], field);
      assert.equal(test!.dice.length, 3);
    });

    it('follows the golden loss curve', () => {
      const losses = log.filter((event) => event.type === 'step').map(({ loss }) => loss);
      losses.forEach((loss, i) => {
        assert(
          Math.abs(loss - golden.losses[i]!) < 1e-5,
          `step ${i + 1}: ${loss}, golden ${golden.losses[i]}`,
        );
      });
      assert.equal(losses.length, golden.losses.length);
      assert(losses.at(-1)! < losses[0]!);
    });

    it('repeats the same events but for clocks, with any look-ahead', async () => {
      for (const args of [['--ahead=0'], ['--ahead=100', '--cache=none']]) {
        const other = folder('again');
        ended(await trainShared('train-localized', other, '--lr=0.01', ...args));
        assert.deepEqual((await events(other, name)).map(withoutClocks), log.map(withoutClocks), args.join());
      }
    });

    it('reads its flags from a file, and the command line overrides them', async () => {
      const other = folder('config');
      writeFileSync(
        at(other, 'run.yaml'),
        `model_name: ${backbone}\ndata-percentage: 0.1\nbatchSize: 4\nepochs: 9\nengine: wasm\nlr: 0.01\n`,
      );
      ended(await shared.run('train-localized', ['--config', 'run.yaml', '--epochs', '3'], at(other)));
      assert.deepEqual((await events(other, name)).map(withoutClocks), log.map(withoutClocks));
    });

    it('refuses to run twice under one name, and changes nothing', async () => {
      const files = () => readdirSync(at(cwd), { recursive: true }).toSorted();
      const before = files();
      const { code, stdout, stderr } = await trainShared('train-localized', cwd, '--lr=0.02');
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(
        stderr,
        /^train-localized: models\/\S+: expected no run of this name, got an earlier one .* --resume, .* --overwrite, .* --run-name\n$/,
      );
      assert.deepEqual(files(), before);
    });
  });

  describe('each adapter and mode', () => {
    const cases = [
      ['lora', 'train-lora', ['--rank=2'], 'lora_42_0.1', 'lora', 192],
      [
        'dora, on fc1 of one block',
        'train-lora',
        ['--dora', '--targets=fc1', '--layers=1'],
        'lora_42_0.1',
        'dora',
        168,
      ],
      ['serial lora', 'train-serial', ['--rank=2'], 'serial_lora_42_0.1', 'serial_lora', 96],
      [
        'serial lora by projection',
        'train-serial',
        ['--rank=2', '--per-projection'],
        'serial_lora_42_0.1',
        'serial_lora',
        288,
      ],
      [
        'the head alone',
        'train-localized',
        ['--mode=head', '--batch-norm', '--optimizer=sgd'],
        'head_42_0.1',
        'none',
        0,
      ],
      [
        'all weights',
        'train-lora',
        ['--mode=full', '--ema=0.5', '--clip=1', '--accumulate=2'],
        'full_42_0.1',
        'none',
        0,
      ],
    ] as const;
    const settings = ['--epochs=2', '--schedule=cosine', '--loss=dice-cross-entropy', '--augment=flip,color'];
    for (const [what, recipe, args, name, adapter, parameters] of cases)
      it(`trains ${what}`, async () => {
        const cwd = folder('mode');
        ended(await trainShared(recipe, cwd, ...args, ...settings));
        const { adapter: trained, adapterParameters, test } = summaryOf(cwd, name);
        assert.deepEqual([trained, adapterParameters], [adapter, parameters]);
        const epochs = (await events(cwd, name)).filter((event) => event.type === 'epoch');
        assert(epochs[1]!.loss < epochs[0]!.loss, `${epochs.map(({ loss }) => loss)}`);
        assert(test!.softDice > 0);
        const { info, parameters: saved } = await checkpointStore(at(cwd, 'models', name)).load();
        assert.equal(info.epoch, 2);
        assert.equal(saved.has('layers.0.fc1.weight'), name === 'full_42_0.1');
        assert.equal(saved.has('head.norm.mean'), what === 'the head alone');
      });
  });

  it('stops early, and at the same epoch after a resume', async () => {
    const args = ['--epochs=30', '--patience=2', '--lr=1e-9', '--metric=loss'];
    const cwd = folder('early');
    ended(await trainShared('train-lora', cwd, ...args));
    const log = await events(cwd, 'lora_42_0.1');
    const { reason, epoch } = log.findLast((event) => event.type === 'done')!;
    assert.equal(reason, 'early-stop');
    assert(epoch < 30);
    ended(await trainShared('train-lora', cwd, ...args, '--resume'));
    assert.deepEqual((await events(cwd, 'lora_42_0.1')).map(withoutClocks), log.map(withoutClocks));
  });

  it('ends with code 1 where the run diverges, and gives it no scores', async () => {
    const cwd = folder('diverged');
    const { code, stderr } = await trainShared(
      'train-lora',
      cwd,
      '--lr=1e30',
      '--optimizer=sgd',
      '--mode=head',
    );
    assert.equal(code, 1);
    assert.match(
      stderr,
      /warning: the loss became NaN at step 2: the run was stopped; there is no checkpoint/,
    );
    assert.match(stderr, /\ntrain-lora: the guard stopped the run at step 2, .* --no-guard\n$/);
    const log = await events(cwd, 'head_42_0.1');
    assert.deepEqual(
      log.filter(({ type }) => type === 'validation' || type === 'checkpoint'),
      [],
    );
    const done = log.at(-1)!;
    assert(done.type === 'done' && done.reason === 'guard');
  });

  it('ends with its scores where the folder of plots breaks on the way, and warns', async () => {
    const cwd = folder('broken');
    const plugin = at(cwd, 'breaks.mjs');
    // Once the run has begun, a file lies where the folder of plots was.
    writeFileSync(
      plugin,
      `import { renameSync, writeFileSync } from 'node:fs';
import { loggers } from 'file://${root}/dist/exports/index.js';
loggers.register('breaks', () => ({
  name: 'breaks',
  next: ({ type }) => {
    if (type !== 'epoch') return;
    renameSync('pictures', 'gone');
    writeFileSync('pictures', '');
  },
}));`,
    );
    const flags = ['--epochs=1', '--plot-dir=pictures', `--plugin=${plugin}`, '--logger=breaks'];
    const result = await train('train-lora', cwd, ...flags);
    ended(result);
    assert.match(result.stdout, /^test +soft Dice 0\.\d{4} /m);
    const why = 'pictures/lora_42_0\\.1: expected to write here, but a part of the path is a file;';
    assert.match(result.stderr, new RegExp(`^warning: pictures/lora_42_0\\.1 no longer logs: ${why}`, 'm'));
    assert.match(result.stderr, new RegExp(`^warning: ${why}`, 'm'));
  });

  it('keeps a whole checkpoint and its logs when ctrl-C stops it', async () => {
    const cwd = folder('stop');
    const child = start('train-lora', tinyFlags(backbone, '--epochs=10000'), at(cwd));
    await new Promise<void>((resolve) => {
      child.process.stderr!.on('data', (text: string) => /epoch 2\/.*train loss/.test(text) && resolve());
    });
    const second = await train('train-lora', cwd, '--lr=0.5', '--resume');
    assert.equal(second.code, 1);
    assert.match(
      second.stderr,
      new RegExp(
        `^train-lora: models/lora_42_0.1: expected a folder that no other process is writing, got one that process ${child.process.pid} .*\n$`,
      ),
    );
    child.process.kill('SIGINT');
    const { code, stderr } = await child.ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /stopping on SIGINT; .*--resume continues the run/);
    const models = at(cwd, 'models', 'lora_42_0.1');
    for (const path of await checkpointStore(models).list()) await readCheckpoint(path);
    assert((await checkpointStore(models).load()).info.position >= 4);
    assert((await events(cwd, 'lora_42_0.1')).length > 8);
    assert(!existsSync(at(cwd, 'logs', 'lora_42_0.1', 'summary.json')));
  });

  describe('bad input ends in one line and leaves nothing', () => {
    const cases = [
      ['a misspelt flag', ['--epocs=3'], /--epocs: unknown flag; did you mean --epochs\?/],
      ['a bad value', ['--rank=0'], /--rank: expected an integer from 1 up, got 0/],
      ['a misspelt choice', ['--loss=focl'], /--loss: expected .*, got "focl"; did you mean focal\?/],
      [
        "another recipe's adapter",
        ['--lora_type=serial_lora'],
        /--lora-type: expected one of lora, got "serial_lora"/,
      ],
      ['no images', ['--image-dir=nowhere'], /nowhere: expected a folder of images/],
      ['no model', ['--model-name=nowhere'], /nowhere: expected a folder, a \.safetensors file or a hub id/],
      [
        'an image size that no patch divides',
        ['--image-size=18'],
        /image size: expected a multiple of the patch size 4, got 18; the nearest are 16 and 20: see --image-size/,
      ],
      [
        'a block that is not there',
        ['--layers=5'],
        /layers: expected blocks from 0 to 1, got 5; see --layers/,
      ],
      [
        'undeclared mask ids',
        ['--mask-ids=1,2'],
        /expected the ids 1, 2 .*, got 3; declare it with --mask-ids/,
      ],
      [
        'a name that leads out of the folder',
        ['--run-name=..'],
        /--run-name: expected a name .*, got "\.\."/,
      ],
      ['too small a share', ['--data-percentage=0.001'], /expected at least one training pair, got none/],
    ] as const;
    for (const [what, args, message] of cases)
      it(what, async () => {
        const cwd = folder('bad');
        const { code, stderr } = await trainShared('train-lora', cwd, ...args);
        assert.equal(code, 1);
        const lines = stderr
          .trimEnd()
          .split('\n')
          .filter((line) => line.startsWith('train-lora: '));
        assert.equal(lines.length, 1, stderr);
        assert.match(lines[0]!, message);
        assert(!stderr.includes('    at '), stderr);
        const left = readdirSync(at(cwd), { recursive: true }).map(String);
        assert(!left.some((path) => path.includes('step-') || path.includes('summary')), left.join());
      });
  });
});
