import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { versions } from '../base/package.js';
import { stemsOf } from '../data/recorded-split.js';
import type { Item, Splits } from '../data/types.js';
import { improves, metricOf, modeOf } from '../events/metric.js';
import type { Scores } from '../events/scores.js';
import { removeFolder, removeUnfinished } from '../files/atomic.js';
import type { Checkpoint } from './checkpoint.js';
import { readCheckpoint, readCheckpointInfo } from './read-checkpoint.js';
import type { RunState } from './run-state.js';
import { writeCheckpoint } from './write-checkpoint.js';

/** Options of `checkpointStore`. */
export interface CheckpointStoreOptions {
  /** The number of newest checkpoints to keep, in addition to the best one. Default 3; Infinity keeps all. */
  readonly keep?: number | undefined;
}

/** The part of a run that its checkpoints hold. */
export interface SavedRun extends RunState {
  /** The validation score that chooses the best checkpoint. */
  readonly metric: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Recorded so that no picture changes its split when files are added. */
  readonly splits?: Splits<Item> | undefined;
}

const NAME = /^step-(\d{8,})$/;

/**
 * The checkpoints of one run: folders `step-00000162` in `dir`.
 *
 * There is no pointer that could be wrong: the last is the one with the highest step, the best the one with the best
 * score in its own `checkpoint.json` (the earlier of equals). A folder appears whole under its name or not at all, and
 * is pruned only after a newer one stands; so a kill at any moment leaves the last whole one. One writer a folder.
 *
 * @example
 * const store = checkpointStore('models/run', { keep: 3 });
 * restore(run, await store.load());
 */
export class CheckpointStore {
  constructor(
    readonly dir: string,
    private readonly options: CheckpointStoreOptions = {},
  ) {
    const { keep = 3 } = options;
    if (!(keep >= 1)) throw new UserError(`keep: expected a count from 1 up, got ${keep}`, { keep });
  }

  /** Saves a checkpoint, then removes those beyond the limit. */
  async save(
    run: SavedRun,
    { epoch, scores }: { readonly epoch: number; readonly scores?: Scores },
  ): Promise<{ readonly path: string; readonly best: boolean }> {
    await removeUnfinished(this.dir);
    const { metric, config, splits } = run;
    const value = scores ? metricOf(scores, metric) : Number.NaN;
    const score = Number.isFinite(value) ? { metric, mode: modeOf(metric), value } : null;
    const path = join(this.dir, `step-${String(run.training.position).padStart(8, '0')}`);
    const about = { epoch, score, config, versions: versions() };
    await writeCheckpoint(path, run, about, splits && stemsOf(splits));
    const best = await this.best();
    const keptPaths = new Set([...(await this.list()).slice(-(this.options.keep ?? 3)), best]);
    for (const old of await this.list()) if (!keptPaths.has(old)) await removeFolder(old);
    return { path, best: best === path };
  }

  /** Removes all checkpoints, for a new run in this folder. */
  async clear(): Promise<void> {
    await removeUnfinished(this.dir);
    for (const path of await this.list()) await removeFolder(path);
  }

  /** All checkpoints, oldest first, as paths. */
  async list(): Promise<string[]> {
    const names = await readdir(this.dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new UserError(
        `${this.dir}: expected a folder of checkpoints, got ${error.code}`,
        {},
        { cause: error },
      );
    });
    return names
      .filter((name) => NAME.test(name))
      .toSorted((a, b) => stepOf(a) - stepOf(b))
      .map((name) => join(this.dir, name));
  }

  /** The newest checkpoint's folder, if there is one. */
  async last(): Promise<string | undefined> {
    return (await this.list()).at(-1);
  }

  /** The folder of the best checkpoint, if there is one. */
  async best(): Promise<string | undefined> {
    let best: { readonly path: string; readonly value: number } | undefined;
    for (const path of await this.list()) {
      const { score } = await readCheckpointInfo(path);
      if (score && improves(score.value, best?.value, score.mode)) best = { path, value: score.value };
    }
    return best?.path;
  }

  /** Reads the last checkpoint, or the best one (the last if none has a score). */
  async load(which: 'last' | 'best' = 'last'): Promise<Checkpoint> {
    const path = (which === 'best' ? await this.best() : undefined) ?? (await this.last());
    if (!path)
      throw new UserError(
        `${this.dir}: expected a checkpoint, got none; train first or name another folder`,
        {
          path: this.dir,
        },
      );
    return readCheckpoint(path);
  }
}

/** The same as `new CheckpointStore(dir, options)`. */
export function checkpointStore(dir: string, options?: CheckpointStoreOptions): CheckpointStore {
  return new CheckpointStore(dir, options);
}

function stepOf(name: string): number {
  return Number(NAME.exec(name)?.[1]);
}
