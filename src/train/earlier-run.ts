import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../base/errors.js';
import { EVENTS_FILE } from '../events/read-events.js';
import { locate } from '../files/recorded-paths.js';
import type { Checkpoint } from './checkpoint.js';
import { checkpointStore } from './checkpoint-store.js';

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

/** @throws UserError where a run has left checkpoints, or logs of steps; it names the ways to go on. */
export async function refuseEarlier(models: string, logs: string | undefined): Promise<void> {
  const last = await checkpointStore(models).last();
  const events = logs === undefined ? '' : await readFile(join(logs, EVENTS_FILE), 'utf8').catch(() => '');
  if (last === undefined && !events.includes('"type":"step"')) return;
  const got = last ?? `logs in ${logs}`;
  throw new UserError(
    `${models}: expected no run of this name, got an earlier one (${got}); continue it with --resume, replace it with --overwrite, or start another with --run-name`,
    { path: models },
  );
}

/**
 * Refuses to resume a checkpoint under settings that differ from those of its run.
 *
 * @throws UserError naming the first setting that differs.
 */
export function checkSettings({ path, info }: Checkpoint, config: Readonly<Record<string, unknown>>): void {
  /**
   * A setting as JSON, with each path replaced by its location: it may be typed differently from another folder.
   */
  const text = (value: unknown, placeOf: (path: string) => string) =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? placeOf(part) : part)) ?? 'unset';
  const recordedPaths = new Set(Object.keys(info.paths ?? {}));
  const recordedPlace = (text: string) =>
    recordedPaths.has(text) ? resolve(locate(text, info.paths, dirname(path))) : text;
  const places = new Set([...recordedPaths].map(recordedPlace));
  const currentPlace = (text: string) => (places.has(resolve(text)) ? resolve(text) : text);
  for (const key of new Set([...Object.keys(info.config), ...Object.keys(config)])) {
    if (FREE.includes(key) || text(info.config[key], recordedPlace) === text(config[key], currentPlace))
      continue;
    const [old, got] = [info.config[key], config[key]].map((value) => JSON.stringify(value) ?? 'unset');
    throw new UserError(
      `${path}: expected the settings that the run began with, ${key} ${old}, got ${got}; resume with the same flags, or start another run with --run-name`,
      { path, key },
    );
  }
}
