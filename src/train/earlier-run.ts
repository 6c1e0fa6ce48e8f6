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
  'checkpointBlocks',
  'engine',
  'precision',
  'threads',
  'runName',
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

/** A setting that a run began with, and its value now. */
export interface ChangedSetting {
  readonly key: string;
  readonly was: unknown;
  readonly is: unknown;
}

/**
 * The settings of a run that now have another value, without those that change no step. `keys` are the only ones to
 * compare; default: all.
 */
export function changedSettings(
  { path, info }: Pick<Checkpoint, 'path' | 'info'>,
  config: Readonly<Record<string, unknown>>,
  keys: readonly string[] = [...new Set([...Object.keys(info.config), ...Object.keys(config)])],
): ChangedSetting[] {
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
  return keys
    .filter((key) => !FREE.includes(key))
    .filter((key) => text(info.config[key], recordedPlace) !== text(config[key], currentPlace))
    .map((key) => ({ key, was: info.config[key], is: config[key] }));
}

/**
 * Refuses to resume a checkpoint under settings that differ from those of its run.
 *
 * @param hint how to give them again
 * @throws UserError naming all settings that differ.
 */
export function refuseChanged(
  path: string,
  changes: readonly ChangedSetting[],
  hint = 'resume with the same settings',
): void {
  if (changes.length === 0) return;
  const json = (value: unknown) => JSON.stringify(value) ?? 'unset';
  const differences = changes.map(({ key, was, is }) => `${key} ${json(was)}, got ${json(is)}`);
  throw new UserError(
    `${path}: expected the settings that the run began with, ${differences.join('; ')}; ${hint}, or start another run with --run-name`,
    { path, keys: changes.map(({ key }) => key) },
  );
}
