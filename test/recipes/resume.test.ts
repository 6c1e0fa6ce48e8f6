import assert from 'node:assert/strict';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readEvents } from '../../src/loggers/json-lines.js';
import { withoutClocks } from '../../src/loggers/logger.js';
import { randomStream } from '../../src/random/random-stream.js';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { run, start } from './run.js';
import { tinyBackbone, tinyFlags } from './tiny-backbone.js';

const KILLS = 20;
const name = 'localized_lora_42_0.1';

describe('--resume', () => {
  let dir: string;
  let flags: string[];
  let unbroken: string;
  /** A run with all that a checkpoint must bring back: averages, gathered gradients, dropout, augmentation, memory. */
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    flags = tinyFlags(
      await tinyBackbone(dir),
      '--batch-size=2',
      '--epochs=12',
      '--checkpoint-every=3',
      '--ema=0.9',
      '--accumulate=2',
      '--adapter-dropout=0.1',
      '--head-dropout=0.1',
      '--batch-norm',
      '--augment=flip,rotate,color',
      '--schedule=plateau',
      '--patience=100',
    );
    unbroken = mkdtempSync(join(dir, 'unbroken-'));
    const { code, stderr } = await run('train-localized', flags, unbroken);
    assert.equal(code, 0, stderr);
  });
  after(() => rmSync(dir, { recursive: true }));

  const models = (cwd: string) => join(cwd, 'models', name);
  const weights = async (cwd: string) => {
    const path = (await checkpointStore(models(cwd)).last())!;
    const files = ['parameters.safetensors', 'optimizer.safetensors'];
    return files.map((file) => readFileSync(join(path, file)).toString('base64'));
  };
  const events = async (cwd: string) =>
    (await readEvents(join(cwd, 'logs', name, 'events.jsonl'))).map(withoutClocks);

  const logged = (cwd: string) => {
    const log = join(cwd, 'logs', name, 'events.jsonl');
    return existsSync(log) ? readFileSync(log, 'utf8').split('\n').length : 0;
  };

  /** Waits until the run has logged a few events more, from none to fifteen, and a little longer. */
  async function moment(cwd: string, ended: Promise<unknown>, random: () => number): Promise<void> {
    const over = new AbortController();
    void ended.then(() => over.abort());
    const enough = logged(cwd) + Math.floor(16 * random());
    while (!over.signal.aborted && logged(cwd) < enough) await wait(5);
    await wait(20 * random());
  }

  /** A run that is killed `times` times, at moments of its own stream of chance, and resumed until it ends. */
  async function killed(chain: number, times: number): Promise<{ cwd: string; later: number }[]> {
    const random = randomStream(11, 'kills', chain);
    const runs: { cwd: string; later: number }[] = [];
    for (let kills = 0; kills < times; ) {
      const cwd = mkdtempSync(join(dir, 'killed-'));
      let later = 0;
      for (let finished = false; !finished; ) {
        const child = start('train-localized', [...flags, '--resume'], cwd);
        if (kills < times) {
          await moment(cwd, child.ended, random);
          child.process.kill('SIGKILL');
        }
        const { code, signal, stderr } = await child.ended;
        const left = await checkpointStore(models(cwd)).list();
        for (const path of left) await readCheckpoint(path);
        finished = signal === null;
        if (finished) assert.equal(code, 0, stderr);
        else {
          kills++;
          if (left.length > 0) later++;
        }
      }
      runs.push({ cwd, later });
    }
    return runs;
  }

  it(`ends with the same weights and events after ${KILLS} kills at random moments`, async () => {
    const runs = (await Promise.all([killed(1, KILLS / 2), killed(2, KILLS / 2)])).flat();
    for (const { cwd } of runs) {
      assert.deepEqual(await weights(cwd), await weights(unbroken));
      assert.deepEqual(await events(cwd), await events(unbroken));
      assert.deepEqual(readdirSync(models(cwd)).toSorted(), readdirSync(models(unbroken)).toSorted());
    }
    const later = runs.reduce((sum, run) => sum + run.later, 0);
    assert(later > 0, 'no kill came after a checkpoint');
  });

  it('tests a finished run again, and changes nothing', async () => {
    const cwd = mkdtempSync(join(dir, 'finished-'));
    cpSync(unbroken, cwd, { recursive: true });
    const { code, stderr } = await run('train-localized', [...flags, '--resume'], cwd);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await weights(cwd), await weights(unbroken));
    assert.deepEqual(await events(cwd), await events(unbroken));
  });

  for (const [what, harm, args, message] of [
    [
      'a truncated checkpoint',
      (path: string) => truncateSync(join(path, 'parameters.safetensors'), 500),
      [],
      /step-\d+\/parameters\.safetensors: expected .*got/,
    ],
    [
      'one whose bytes are not what was written',
      (path: string, other: string) =>
        copyFileSync(join(other, 'optimizer.safetensors'), join(path, 'optimizer.safetensors')),
      [],
      /step-\d+\/optimizer\.safetensors: expected the bytes that were written, got others/,
    ],
    [
      'a foreign one',
      (path: string) => copyFileSync(join(path, 'parameters.safetensors'), join(path, 'checkpoint.json')),
      [],
      /step-\d+\/checkpoint\.json: expected a checkpoint of this project, got a file that is no JSON/,
    ],
    ['other settings', () => {}, ['--lr=0.5'], /step-\d+: expected the settings .* lr 0\.002, got 0\.5/],
    ['another model', () => {}, ['--r-block=1'], /step-\d+: expected the settings .* rBlock 2, got 1/],
  ] as const)
    it(`refuses ${what} by name, and leaves it as it is`, async () => {
      const cwd = mkdtempSync(join(dir, 'harmed-'));
      cpSync(unbroken, cwd, { recursive: true });
      const paths = await checkpointStore(models(cwd)).list();
      harm(paths.at(-1)!, paths.at(-2)!);
      const before = readdirSync(cwd, { recursive: true });
      const { code, stderr } = await run('train-localized', [...flags, '--resume', ...args], cwd);
      assert.equal(code, 1, stderr);
      assert.match(stderr, message);
      const said = stderr
        .trimEnd()
        .split('\n')
        .filter((line) => !/^(wasm: |--metric )/.test(line));
      assert.match(said.join('\n'), /^train-localized: .*$/);
      assert.deepEqual(readdirSync(cwd, { recursive: true }), before);
    });
});
