import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { didYouMean } from '../base/did-you-mean.js';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import { EVENTS_FILE } from '../events/read-events.js';
import { isLocked } from '../files/folder-lock.js';
import { checkpointedRun, loggedRun, type RunOverview, startedRun } from './run-overview.js';

/** The folders that hold runs, as the training recipes write them. */
export interface RunFolders {
  readonly logDir: string;
  readonly modelDir: string;
}

/**
 * All runs in these folders, whatever became of them; `logDir` may also be the folder of one run. A folder that may not be
 * there yet, such as that of the models, holds none.
 *
 * @throws UserError where there is no run.
 */
export async function foundRuns({ logDir, modelDir }: RunFolders): Promise<RunOverview[]> {
  const own = await loggedRun(logDir);
  if (own) return [own];
  const [logs, models] = await Promise.all([foldersIn(logDir), foldersIn(modelDir)]);
  const runs = await Promise.all(
    [...new Set([...logs, ...models])]
      .toSorted()
      .map((name) => overviewOf(join(logDir, name), join(modelDir, name))),
  );
  const found = runs.filter((run) => run !== undefined);
  if (found.length > 0) return found;
  throw new UserError(
    `${logDir}: expected folders of runs with ${EVENTS_FILE}, got none, and no checkpoints in ${modelDir}; train first (node recipes/train-localized.js), or see --log-dir`,
    { path: logDir },
  );
}

/**
 * The runs of these names, in their order. A name with a slash is the path of a run's folder of logs, wherever that is.
 *
 * @throws UserError for a name that no run has, with the nearest one.
 */
export async function namedRuns(names: readonly string[], folders: RunFolders): Promise<RunOverview[]> {
  return Promise.all(
    names.map(async (name) => {
      const isPath = /[\\/]/.test(name);
      const logs = isPath ? name : join(folders.logDir, name);
      const run = await overviewOf(logs, isPath ? undefined : join(folders.modelDir, name));
      if (run) return run;
      const names = isPath ? [] : (await foundRuns(folders)).map((one) => one.name);
      throw new UserError(
        isPath
          ? `${name}: expected a run's folder of logs, got ${existsSync(name) ? `one without ${EVENTS_FILE}` : 'none'}`
          : `${JSON.stringify(name)}: expected a run in ${folders.logDir}, one of ${names.join(', ')}${didYouMean(name, names)}`,
        { name },
      );
    }),
  );
}

async function overviewOf(logs: string, models: string | undefined): Promise<RunOverview | undefined> {
  const run = await loggedRun(logs);
  if (run) return run;
  if (isLocked(logs)) return startedRun(basename(resolve(logs)));
  return models === undefined ? undefined : checkpointedRun(models);
}

/** The folders in a folder, without hidden ones; none where there is no folder. */
async function foldersIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw new UserError(
      `${dir}: expected a folder of runs, got ${whatIsThere(cause)}`,
      { path: dir },
      { cause },
    );
  });
  return entries
    .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isSymbolicLink()))
    .map(({ name }) => name);
}
