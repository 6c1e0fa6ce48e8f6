import { UserError } from '../errors.js';
import type { Event } from '../events/event.js';
import { earlierEvents } from '../events/json-lines.js';
import { type Checkpoint, restore } from './checkpoint.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { Training } from './training.js';

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
];

/**
 * What a run has behind it, as events that its logs keep (`LogOptions.earlier`): none, and no checkpoint of an older run
 * of that name, unless it is to `resume`. Then the training goes on with the last checkpoint; a run that was killed before
 * its first one starts again.
 *
 * @throws UserError for a checkpoint that is damaged, of another model, or of a run that began with other settings:
 * its steps so far would not be this run's. `epochs` may change; so may what computes, but then not bit for bit.
 * @example
 * const earlier = await earlierRun(training, store, { resume: true, logs: 'logs/run', config });
 */
export async function earlierRun(
  training: Training,
  store: CheckpointStore,
  {
    resume,
    logs,
    config,
  }: { readonly resume: boolean; readonly logs: string; readonly config: Readonly<Record<string, unknown>> },
): Promise<Event[]> {
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
  for (const key of new Set([...Object.keys(info.config), ...Object.keys(config)])) {
    if (FREE.includes(key)) continue;
    const [was, is] = [info.config[key], config[key]].map((value) => JSON.stringify(value) ?? 'unset');
    if (was !== is)
      throw new UserError(
        `${path}: expected the settings that the run began with, ${key} ${was}, got ${is}; resume with the same flags, or start another run with --run-name`,
        { path, key },
      );
  }
}
