import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Event } from '../../src/events/event.js';
import { readEvents } from '../../src/events/read-events.js';
import { withoutClocks } from '../../src/loggers/logger.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { readCheckpoint } from '../../src/train/read-checkpoint.js';
import { run, start } from './run.js';
import { tinyBackbone, tinyFlags } from './tiny-backbone.js';

const name = 'localized_lora_42_0.1';

/** When a run is killed: once it has logged `more` events than before, the last of `type` where one is named, and `ms` later. */
export interface Moment {
  readonly more: number;
  readonly type?: Event['type'];
  readonly ms: number;
}

/** In each phase of a run: before anything is logged, on a step, after an epoch and its validation, on a checkpoint. */
export const MOMENTS: readonly Moment[] = [
  { more: 0, ms: 400 },
  { more: 1, type: 'run', ms: 0 },
  { more: 8, type: 'step', ms: 3 },
  { more: 8, type: 'epoch', ms: 0 },
  { more: 8, type: 'validation', ms: 0 },
  { more: 8, type: 'checkpoint', ms: 0 },
  { more: 75, type: 'step', ms: 1 },
];

export const models = (cwd: string) => join(cwd, 'models', name);

/**
 * The flags of a run with all that a checkpoint must bring back: averages, gathered gradients, dropout, augmentation, memory.
 * Those in `args` are added.
 */
export async function resumable(dir: string, ...args: readonly string[]): Promise<string[]> {
  return tinyFlags(
    await tinyBackbone(dir),
    '--batch-size=2',
    '--epochs=12',
    '--checkpoint-every=3',
    '--ema=0.9',
    '--accumulate=2',
    '--adapter-dropout=0.1',
    '--head-dropout=0.1',
    '--drop-path=0.3',
    '--layer-decay=0.8',
    '--batch-norm',
    '--augment=flip,rotate,color',
    '--mix=cutmix,copy-paste',
    '--scales=0.5,1',
    '--schedule=plateau',
    '--patience=100',
    ...args,
  );
}

/** A folder in which the run has ended, never stopped. */
export async function unbrokenRun(dir: string, flags: readonly string[]): Promise<string> {
  const cwd = mkdtempSync(join(dir, 'unbroken-'));
  const { code, stderr } = await run('train-localized', flags, cwd);
  assert.equal(code, 0, stderr);
  return cwd;
}

/**
 * Folders in which a run was killed at each moment in turn, and resumed until it ended; a run that ends with moments
 * left begins anew. `later` counts the kills that came after a checkpoint.
 */
export async function killedRuns(
  dir: string,
  flags: readonly string[],
  moments: Iterable<Moment>,
): Promise<{ readonly folders: string[]; readonly later: number }> {
  const left = [...moments];
  const folders: string[] = [];
  let later = 0;
  do {
    const cwd = mkdtempSync(join(dir, 'killed-'));
    for (let finished = false; !finished; ) {
      const child = start('train-localized', [...flags, '--resume'], cwd);
      if (left[0]) {
        await reached(left[0], cwd, child.ended);
        child.process.kill('SIGKILL');
      }
      const { code, signal, stderr } = await child.ended;
      const paths = await checkpointStore(models(cwd)).list();
      for (const path of paths) await readCheckpoint(path);
      finished = signal === null;
      if (finished) assert.equal(code, 0, stderr);
      else {
        left.shift();
        if (paths.length > 0) later++;
      }
    }
    folders.push(cwd);
  } while (left.length > 0);
  return { folders, later };
}

async function reached({ more, type, ms }: Moment, cwd: string, ended: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  void ended.then(() => over.abort());
  const enough = linesOf(cwd).length + more;
  const isReached = () => {
    const lines = linesOf(cwd);
    return lines.length >= enough && (!type || (lines.at(-1) ?? '').includes(`"type":"${type}"`));
  };
  while (!over.signal.aborted && !isReached()) await wait(2);
  await wait(ms);
}

/** Whole lines of the run's events. */
function linesOf(cwd: string): string[] {
  const log = join(cwd, 'logs', name, 'events.jsonl');
  return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : [];
}

export async function eventsOf(cwd: string): Promise<unknown[]> {
  return (await readEvents(join(cwd, 'logs', name, 'events.jsonl'))).map(withoutClocks);
}

/** The bytes of the last checkpoint's weights and of its optimiser. */
export async function weightsOf(cwd: string): Promise<string[]> {
  const path = (await checkpointStore(models(cwd)).last())!;
  const files = ['parameters.safetensors', 'optimizer.safetensors'];
  return files.map((file) => readFileSync(join(path, file)).toString('base64'));
}

/** The run's pictures of predictions by name, as bytes. */
function picturesOf(cwd: string): Record<string, string> {
  const folder = join(cwd, 'logs', name, 'pictures');
  return Object.fromEntries(
    readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'base64')]),
  );
}

/** Asserts that two folders hold the same run: its weights, events but for clocks, checkpoints, and pictures of predictions. */
export async function assertSameRun(cwd: string, expected: string): Promise<void> {
  assert.deepEqual(await weightsOf(cwd), await weightsOf(expected));
  assert.deepEqual(await eventsOf(cwd), await eventsOf(expected));
  assert.deepEqual(readdirSync(models(cwd)).toSorted(), readdirSync(models(expected)).toSorted());
  assert.deepEqual(picturesOf(cwd), picturesOf(expected));
}
