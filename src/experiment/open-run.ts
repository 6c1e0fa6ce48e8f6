import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { say } from '../base/say.js';
import type { SplitStems } from '../data/recorded-split.js';
import { removeUnfinished } from '../files/atomic.js';
import { lockFolder } from '../files/folder-lock.js';
import { tryFolder } from '../files/try-folder.js';
import { checkpointStore } from '../train/checkpoint-store.js';
import { refuseEarlier } from '../train/earlier-run.js';
import { readSplits } from '../train/read-checkpoint.js';
import { checkResumed } from './resumed-settings.js';

/** The settings that place a run on disk; see `openRun`. */
export interface RunSettings {
  /** The parent of a run's folder `<run>`: of checkpoints, logs, plots. */
  readonly outDir: string;
  readonly logDir: string;
  readonly plotDir: string;
  /** Continue the run of that name. */
  readonly resume: boolean;
  /** Replace it. */
  readonly overwrite: boolean;
  /** Checked for writing, too, if the cache is on disk. */
  readonly cache: string;
  readonly cacheDir: string;
}

/** A run's folders, locked for this process until it ends. */
export interface OpenRun {
  readonly name: string;
  readonly models: string;
  readonly logs: string;
  readonly pictures: string;
  /** The split that a resumed run began with. */
  readonly recorded: SplitStems | undefined;
  /** Releases the folders before the process ends. */
  close(): void;
}

/**
 * Locks a run's folders for this process, and checks that they are writable; files that killed writers left
 * unfinished are removed. To be called before anything is computed.
 *
 * @throws UserError where another process holds one, where one cannot be written, and where there is a run of that name
 * already, unless it is to `resume` or to be replaced (`overwrite`); and to resume a run with other settings than it
 * began with: it names them all, and the flags to repeat.
 * @example
 * const { models, logs, pictures, recorded } = await openRun('lora_42_1', {
 *   outDir: 'models', logDir: 'logs', plotDir: 'plots', resume: false, overwrite: false, cache: 'memory', cacheDir: '.cache',
 * });
 */
export async function openRun(name: string, settings: RunSettings): Promise<OpenRun> {
  const { outDir, logDir, plotDir, resume, overwrite, cache, cacheDir } = settings;
  if (resume && overwrite)
    throw new UserError('--overwrite: expected it without --resume, got both; leave one out');
  const [models, logs, pictures] = [join(outDir, name), join(logDir, name), join(plotDir, name)];
  const folders = [...new Set([models, logs, pictures])];
  const locks: (() => void)[] = [];
  const close = () => locks.forEach((release) => release());
  try {
    // A process that died had locked them all: once is enough to say so.
    for (const folder of folders) locks.push(lockFolder(folder, locks.length > 0 ? () => {} : say));
    if (!resume && !overwrite) await refuseEarlier(models, logs);
    if (cache === 'disk') await tryFolder(cacheDir);
    for (const folder of folders) await removeUnfinished(folder);
    const last = resume ? await checkpointStore(models).last() : undefined;
    if (last !== undefined) await checkResumed(last, settings);
    if (resume && last === undefined) say(`--resume: ${models} has no checkpoint, so that a new run begins`);
    return {
      name,
      models,
      logs,
      pictures,
      recorded: last === undefined ? undefined : await readSplits(last),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
