import { existsSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { exhaustMap, filter, finalize, from, map, type Observable, share, timer } from 'rxjs';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import { EVENTS_FILE } from '../events/read-events.js';
import { isLocked } from '../files/folder-lock.js';
import type { Moment } from './protocol.js';
import { WatchedRun } from './watched-run.js';

/** Milliseconds between two looks at runs that grow, and between two at all others and at the folder itself. */
const SOON = 30;
const LATER = 1000;
/** A run that grows is looked at again after this share of the time for which it has been as it is. */
const PATIENCE = 1 / 20;
/** Chunks that are read at one look, so that what was read is shown soon, however much there is. */
const CHUNKS = 8;
/** The most runs that are followed: the newest folders' names in the order of the alphabet. */
const MOST_RUNS = 2000;

/**
 * The runs in a folder of logs, or the one run that it holds, followed while other processes write them.
 *
 * `changes$` looks while somebody listens; every change belongs to a version, a number that rises.
 */
export class LogFolder {
  version = 0;
  #runs = new Map<string, WatchedRun>();
  #problems: readonly string[] = [];
  #namesVersion = 0;
  /** When each run last changed. */
  readonly #grew = new WeakMap<WatchedRun, number>();
  /** When each run was last looked at. */
  readonly #looked = new WeakMap<WatchedRun, number>();
  /** The runs whose details are asked for, which are read first. */
  readonly #wanted = new Map<string, number>();
  #discovered = Number.NEGATIVE_INFINITY;

  private constructor(readonly root: string) {}

  /** @throws UserError where there is no such folder. */
  static async open(path: string): Promise<LogFolder> {
    try {
      await readdir(path);
      return new LogFolder(await realpath(path));
    } catch (cause) {
      const got = whatIsThere(cause as NodeJS.ErrnoException);
      throw new UserError(
        `--logs ${path}: expected a folder of runs' logs, got ${got}; train first, or name another folder`,
        { path },
        { cause },
      );
    }
  }

  /** The version after each change. */
  readonly changes$: Observable<number> = timer(0, SOON).pipe(
    exhaustMap(() => from(this.look())),
    filter((changed) => changed),
    map(() => this.version),
    share(),
  );

  /** The runs that have changed since a version. */
  changedSince(version: number): WatchedRun[] {
    return [...this.#runs.values()].filter((run) => run.version > version);
  }

  /** The run of this name, as the folder has it: a name is never a path. */
  run(name: string): WatchedRun | undefined {
    return this.#runs.get(name);
  }

  get runs(): readonly WatchedRun[] {
    return [...this.#runs.values()];
  }

  get moment(): Moment {
    return { runs: [...this.#runs.keys()], problems: this.#problems };
  }

  /** Reads these runs before the others, while the result is subscribed. */
  prefer<T>(names: readonly string[]): (source: Observable<T>) => Observable<T> {
    const count = (by: number) =>
      names.forEach((name) => this.#wanted.set(name, (this.#wanted.get(name) ?? 0) + by));
    count(1);
    return finalize(() => count(-1));
  }

  /** Looks once at what may have changed; true if anything has. */
  async look(): Promise<boolean> {
    const now = performance.now();
    const version = this.version + 1;
    const asksAll = now - this.#discovered >= LATER;
    if (asksAll) await this.#discover(now, version);
    const isDue = (run: WatchedRun) => {
      const [grew, looked] = [this.#grew, this.#looked].map((at) => at.get(run) ?? Number.NEGATIVE_INFINITY);
      return asksAll || run.behind || now - looked! >= PATIENCE * (now - grew!);
    };
    const rank = (run: WatchedRun) => Number((this.#wanted.get(run.name) ?? 0) > 0);
    // Among equals those that were read longest ago, so that none waits for ever.
    const due = this.runs
      .filter(isDue)
      .toSorted((a, b) => rank(b) - rank(a) || (this.#grew.get(a) ?? 0) - (this.#grew.get(b) ?? 0));
    let chunks = 0;
    for (const run of due) {
      const isFirst = run.version === 0;
      // Of those that nobody charts a first chunk says what they are.
      if (chunks >= CHUNKS && !isFirst) break;
      await run.read(version, { alive: asksAll });
      this.#looked.set(run, now);
      if (run.version !== version) continue;
      chunks++;
      this.#grew.set(run, now);
    }
    const changed = this.#namesVersion === version || due.some((run) => run.version === version);
    if (changed) this.version = version;
    return changed;
  }

  async #discover(now: number, version: number): Promise<void> {
    this.#discovered = now;
    const { folders, problems } = await runFolders(this.root);
    const isSame = folders.length === this.#runs.size && folders.every(([name]) => this.#runs.has(name));
    if (isSame && problems.join() === this.#problems.join()) return;
    this.#runs = new Map(
      folders.map(([name, path]) => [name, this.#runs.get(name) ?? new WatchedRun(name, path)]),
    );
    this.#problems = problems;
    this.#namesVersion = version;
  }
}

/** The folders of runs in a folder; one that is a link to a place outside is none. */
async function runFolders(
  root: string,
): Promise<{ readonly folders: [name: string, path: string][]; readonly problems: string[] }> {
  if (existsSync(join(root, EVENTS_FILE)))
    return { folders: [[basename(resolve(root)), root]], problems: [] };
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isSymbolicLink()))
    .map(({ name }) => name)
    .toSorted();
  const folders: [string, string][] = [];
  const problems: string[] = [];
  for (const name of names) {
    const path = await inside(root, name);
    if (path === undefined) problems.push(`${name}: a link that leads out of the folder; not shown`);
    else if (existsSync(join(path, EVENTS_FILE)) || isLocked(path)) folders.push([name, path]);
  }
  if (folders.length > MOST_RUNS)
    problems.push(`${folders.length} runs: the first ${MOST_RUNS} are shown; name a smaller folder`);
  return { folders: folders.slice(0, MOST_RUNS), problems };
}

/** The real path of a file or folder in a folder; undefined where there is none, or it lies elsewhere. */
export async function inside(root: string, path: string): Promise<string | undefined> {
  if (path.includes('\0')) return undefined;
  const real = await realpath(resolve(root, path)).catch(() => undefined);
  const home = await realpath(root).catch(() => undefined);
  if (real === undefined || home === undefined) return undefined;
  return real.startsWith(home.endsWith(sep) ? home : home + sep) ? real : undefined;
}
