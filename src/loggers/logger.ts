import { UserError } from '../base/errors.js';
import type { Event } from '../events/event.js';
import type { Metrics } from '../model/metrics.js';

/**
 * How a run ended: it completed; it failed, by an error or because the guard stopped it; or it was stopped before its end,
 * by ctrl-C or a pruner.
 */
export type RunEnd = 'finished' | 'failed' | 'stopped';

/**
 * Something that listens to a run. It may be slow and may fail: training goes on. `next` and `close` are never called
 * before the call before has ended, so a logger needs no lock.
 */
export interface Logger {
  /** Its name in a warning: the file or folder that it writes. */
  readonly name: string;
  /** Receives the next event. */
  next(event: Event): void | Promise<void>;
  /**
   * Seconds that it may take for one event, or to close, once the run has ended; then it is abandoned. Default 120.
   */
  readonly patience?: number;
  /**
   * Called once: after the last event, when the run is cut short, or after `next` has failed. Only in the last case
   * `end` is undefined.
   */
  close?(end?: RunEnd): void | Promise<void>;
}

/** The part of a run that a logger may use; a `Run` is one. */
export interface LoggedRun {
  /** The run's folder of logs. */
  readonly logs?: string | undefined;
  /** Its folder of plots. */
  readonly plots?: string | undefined;
  /**
   * The events before a resume: files then hold these and the new ones, and nothing else. Without any, files of an
   * older run of that name are replaced.
   */
  readonly earlier?: readonly Event[];
  /** The study that the run is a trial of, and the trial's number. */
  readonly study?: { readonly name: string; readonly trial: number } | undefined;
  /** Makes the metrics of a split; without data they tell which scores there will be. */
  readonly metrics?: () => Pick<Metrics, 'scores'>;
}

/** Makes a logger for a run, when its events are subscribed. */
export type LoggerFor = (run: LoggedRun) => Logger;

/** A logger's own folder, or else the run's. @throws UserError where there is neither. */
export function folderFor(logger: string, dir: string | undefined, ofRun: string | undefined): string {
  const folder = dir ?? ofRun;
  if (folder !== undefined) return folder;
  throw new UserError(`${logger}: expected a folder, got none; give it one, or give the run { logs, plots }`);
}

const CLOCKS: ReadonlySet<string> = new Set([
  'time',
  'seconds',
  'imagesPerSecond',
  'earlierSeconds',
  'data',
  'memory',
]);

/**
 * An event without its clock fields, which are all that differs between two runs of a recipe on one engine.
 *
 * @example
 * assert.deepEqual((await readEvents(a)).map(withoutClocks), (await readEvents(b)).map(withoutClocks));
 */
export function withoutClocks(event: Event): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event).filter(([key]) => !CLOCKS.has(key)));
}

/**
 * The beginning of a log: the earlier events of a resumed run, then the first event of this process.
 *
 * Where that is a `run` event it replaces the one before, and counts the seconds of the processes before it.
 */
export function withEarlier(earlier: readonly Event[], first: Event): readonly Event[] {
  if (earlier.length === 0 || first.type !== 'run') return [...earlier, first];
  const run = { ...first, earlierSeconds: secondsOf(earlier) };
  return [run, ...earlier.filter(({ type }) => type !== 'run')];
}

/** Seconds from a run's first event to its last, without the time between two of its processes. */
export function secondsOf(events: readonly Event[]): number {
  const run = events.find((event) => event.type === 'run');
  const last = events.at(-1);
  if (!run || !last) return 0;
  return (run.earlierSeconds ?? 0) + Math.max(0, last.time - run.time) / 1000;
}
