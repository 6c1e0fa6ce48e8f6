import { dirname, resolve } from 'node:path';
import { UserError } from '../base/errors.js';
import type { Event } from '../events/event.js';
import { locate } from '../files/recorded-paths.js';
import { earlierEvents } from '../loggers/json-lines.js';
import { type Checkpoint, restore } from '../train/checkpoint.js';
import type { CheckpointStore } from '../train/checkpoint-store.js';
import type { Training } from '../train/training.js';
import { refuseEarlier } from './open-run.js';

/** Settings that change neither which batches a run consumes nor what its steps compute. */
const FREE = [
  'epochs',
  'patience',
  'keep',
  'guard',
  'device',
  'checkpointEvery',
  'engine',
  'precision',
  'threads',
  'outDir',
  'logDir',
  'plotDir',
  'plugin',
  'logger',
];

export interface EarlierRunOptions {
  /** Go on with the last checkpoint. */
  readonly resume: boolean;
  /** Remove the checkpoints of an earlier run of that name. */
  readonly overwrite?: boolean;
  readonly logs: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * What a run has behind it, as events that its logs keep (`LogOptions.earlier`): none unless it is to `resume`. Then the
 * training goes on with the last checkpoint; a run that was killed before its first one starts again.
 *
 * @throws UserError for a checkpoint that is damaged, of another model, or of a run that began with other settings:
 * its steps so far would not be this run's. `epochs` may change; so may what computes, but then not bit for bit. And,
 * unless it is to `resume` or `overwrite`, where there is an earlier run.
 * @example
 * const earlier = await earlierRun(training, store, { resume: true, logs: 'logs/run', config });
 */
export async function earlierRun(
  training: Training,
  store: CheckpointStore,
  { resume, overwrite = false, logs, config }: EarlierRunOptions,
): Promise<Event[]> {
  if (!resume && !overwrite) await refuseEarlier(store.dir, logs);
  if (!resume) await store.clear();
  if ((await store.last()) === undefined) return [];
  const checkpoint = await store.load();
  checkSettings(checkpoint, config);
  restore(training, checkpoint);
  const { path, info } = checkpoint;
  const best = (await store.best()) === path;
  const lost = {
    type: 'checkpoint',
    time: Date.now(),
    path,
    step: info.position,
    epoch: info.epoch,
    best,
  } as const;
  return earlierEvents(logs, info.position, lost);
}

/**
 * Puts a training back where its last checkpoint was taken: what `guard` wants as `restore`.
 *
 * @returns the checkpoint's step; undefined where there is none, and the training stays as it is.
 */
export async function restoreLast(training: Training, store: CheckpointStore): Promise<number | undefined> {
  if ((await store.last()) === undefined) return undefined;
  restore(training, await store.load());
  return training.position;
}

function checkSettings({ path, info }: Checkpoint, config: Readonly<Record<string, unknown>>): void {
  /** As JSON, with each path as the place that it names: it may be typed otherwise from another folder. */
  const text = (value: unknown, placeOf: (typed: string) => string) =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? placeOf(part) : part)) ?? 'unset';
  const known = new Set(Object.keys(info.paths ?? {}));
  const was = (typed: string) =>
    known.has(typed) ? resolve(locate(typed, info.paths, dirname(path))) : typed;
  const places = new Set([...known].map(was));
  const is = (typed: string) => (places.has(resolve(typed)) ? resolve(typed) : typed);
  for (const key of new Set([...Object.keys(info.config), ...Object.keys(config)])) {
    if (FREE.includes(key) || text(info.config[key], was) === text(config[key], is)) continue;
    const [old, got] = [info.config[key], config[key]].map((value) => JSON.stringify(value) ?? 'unset');
    throw new UserError(
      `${path}: expected the settings that the run began with, ${key} ${old}, got ${got}; resume with the same flags, or start another run with --run-name`,
      { path, key },
    );
  }
}
