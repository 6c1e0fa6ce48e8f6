import { existsSync } from 'node:fs';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { versions } from '../base/package.js';
import { say } from '../base/say.js';
import type { Event } from '../events/event.js';
import { readEvents } from '../events/read-events.js';
import { removeFolder, removeUnfinished, writeFileAtomic } from '../files/atomic.js';
import type { Checkpoint } from './checkpoint.js';
import { readCheckpoint } from './read-checkpoint.js';
import type { RunState } from './run-state.js';
import { writeCheckpoint } from './write-checkpoint.js';

/** Options of `forkPoints`. */
export interface ForkPointsOptions {
  /** The most that is kept, in bytes: what was used longest ago goes first. Default 4 GiB. */
  readonly maxBytes?: number | undefined;
}

/** A point from which a run goes on, and what it would have emitted up to there. */
export interface ForkPoint {
  readonly checkpoint: Checkpoint;
  readonly events: readonly Event[];
}

/**
 * The ends of epochs of trainings that may begin alike, by their past (`pastOf`): a checkpoint and the epoch's events.
 *
 * What two trainings have in common is trained once. Several processes may share a folder. A point that cannot be read
 * costs time and a line on standard error, never the training; so does a folder that cannot be written.
 *
 * @example
 * const points = forkPoints('results/forks');
 * training$.pipe(fromFork(run, { points, kind: settings }), asRun(run));
 */
export class ForkPoints {
  /** Steps that were trained here, and steps that points stood for. */
  readonly steps = { trained: 0, shared: 0 };
  readonly #maxBytes: number;
  #opened: Promise<void> | undefined;
  #failed = false;

  constructor(
    readonly dir: string,
    { maxBytes = 2 ** 32 }: ForkPointsOptions = {},
  ) {
    this.#maxBytes = maxBytes;
  }

  /** The furthest point that was kept of a run's pasts, epoch by epoch, with the events of all epochs up to it. */
  async last(pasts: readonly string[]): Promise<ForkPoint | undefined> {
    for (let epoch = pasts.length; epoch > 0; epoch--) {
      const path = this.#path(pasts[epoch - 1]!);
      if (!existsSync(path)) continue;
      try {
        const files = pasts.slice(0, epoch).map((past) => readEvents(`${this.#path(past)}.jsonl`));
        const events = (await Promise.all(files)).flat();
        const checkpoint = await readCheckpoint(path);
        await utimes(path, new Date(), new Date()).catch(() => {});
        return { checkpoint, events };
      } catch (error) {
        say(`not used: ${(error as Error).message}`);
      }
    }
    return undefined;
  }

  /** Keeps the end of an epoch of a run, and the events of that epoch, unless it is kept already. */
  async keep(past: string, run: RunState, epoch: number, events: readonly Event[]): Promise<void> {
    const path = this.#path(past);
    if (this.#failed || run.training.disposed || existsSync(path)) return;
    try {
      const about = { epoch, score: null, config: {}, versions: versions() };
      // The run's state is taken before anything is awaited.
      const written = writeCheckpoint(path, run, about);
      const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
      await Promise.all([written, writeFileAtomic(`${path}.jsonl`, lines)]);
      await this.#makeRoom(path);
    } catch (error) {
      // Another process may have kept the same point at the same time.
      if (existsSync(path)) return;
      this.#failed = true;
      say(`no more points of trainings are kept: ${(error as Error).message}`);
    }
  }

  /** Removes all points. */
  async clear(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }

  #path(past: string): string {
    return join(this.dir, past);
  }

  async #makeRoom(newest: string): Promise<void> {
    await (this.#opened ??= removeUnfinished(this.dir, { ownFiles: false }));
    const points = await Promise.all((await folders(this.dir)).map(measured));
    let total = points.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, bytes } of points.toSorted((a, b) => a.usedAt - b.usedAt)) {
      if (total <= this.#maxBytes) return;
      if (path === newest) continue;
      await removeFolder(path);
      total -= bytes;
    }
  }
}

/** The same as `new ForkPoints(dir, options)`. */
export function forkPoints(dir: string, options?: ForkPointsOptions): ForkPoints {
  return new ForkPoints(dir, options);
}

async function folders(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(dir, name));
}

/** A point's size and last use; nothing where another process has just removed it. */
async function measured(path: string) {
  try {
    const { mtimeMs: usedAt } = await stat(path);
    const files = await Promise.all((await readdir(path)).map((name) => stat(join(path, name))));
    return { path, usedAt, bytes: files.reduce((sum, { size }) => sum + size, 0) };
  } catch {
    return { path, usedAt: 0, bytes: 0 };
  }
}
