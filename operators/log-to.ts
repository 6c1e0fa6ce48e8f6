import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Event } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import { warningEvent } from '../src/events/warning-event.js';
import type { LoggedRun, Logger, LoggerFor, RunEnd } from '../src/loggers/logger.js';

/** The longest queue of a logger; beyond it, step events are dropped. */
const LIMIT = 10_000;

/** Seconds that a logger may take for one event, or to close, after the run has ended. */
const PATIENCE = 120;

/**
 * Sends a run's events to loggers and passes them on at once, unchanged. The files of a resumed run begin with the events
 * before the resume.
 *
 * Each logger has a queue of its own and works through it in its own time, so a slow one never holds up the run. A
 * logger that is more than 10,000 events behind loses step events until it has caught up; all other events are
 * kept. One that fails is closed and left out from there on. Either is said once, in a `WarningEvent` that the other
 * loggers hear too. The stream ends when the loggers have written everything and closed, one after another in their order,
 * so that a tracker finds the files of those before it; one that hangs is then left
 * behind, with a warning, after two minutes (`Logger.patience`). An unsubscribe lets them write what they have heard,
 * and closes them.
 *
 * @example
 * training$.pipe(logTo(run, jsonLines(), csv(), tensorBoard(), plots(), summary()));
 */
export function logTo<S extends Scores = Scores>(
  run: LoggedRun,
  ...loggers: readonly (Logger | LoggerFor)[]
): MonoTypeOperatorFunction<Event<S>> {
  return (events$) =>
    new Observable((subscriber) => {
      const warn = (from: Queue, code: string, message: string) => {
        const warning = warningEvent(code, message);
        for (const queue of queues) if (queue !== from) queue.next(warning);
        subscriber.next(warning);
      };
      const queues = loggers.map(
        (logger) => new Queue(typeof logger === 'function' ? logger(run) : logger, warn),
      );
      let closing: Promise<unknown> | undefined;
      let last: Event<S> | undefined;
      const close = (end: RunEnd) => {
        closing ??= settled(queues).then(async () => {
          for (const queue of queues) queue.seal();
          for (const queue of queues) await queue.close(end);
        });
        return closing;
      };
      subscriber.add(() => void close('stopped'));
      subscriber.add(
        events$.subscribe({
          next: (event) => {
            if (event.type !== 'warning') last = event;
            for (const queue of queues) queue.next(event);
            subscriber.next(event);
          },
          error: (error: unknown) => void close('failed').then(() => subscriber.error(error)),
          complete: () => void close(endOf(last)).then(() => subscriber.complete()),
        }),
      );
    });
}

/** How a stream that completed has ended, by its last event. */
function endOf(last: Event | undefined): RunEnd {
  if (last?.type === 'done' && last.reason === 'guard') return 'failed';
  if (last?.type !== 'trial') return 'finished';
  return last.state === 'COMPLETE' ? 'finished' : last.state === 'PRUNED' ? 'stopped' : 'failed';
}

/** Resolves when all queues are empty; a warning from one may add work to another. */
async function settled(queues: readonly Queue[]): Promise<void> {
  while (queues.some((queue) => queue.waiting > 0)) await Promise.all(queues.map((queue) => queue.settle()));
}

/** Whether a promise resolves within a number of seconds. */
async function within(seconds: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), 1000 * seconds);
  });
  return Promise.race([work.then(() => true), timeout]).finally(() => clearTimeout(timer));
}

/** Hands events to one logger, one after another, until it fails. */
class Queue {
  waiting = 0;
  #idle: Promise<void> = Promise.resolve();
  #done = 0;
  #missed = false;
  #closed = false;
  #sealed = false;

  constructor(
    private readonly logger: Logger,
    private readonly warn: (from: Queue, code: string, message: string) => void,
  ) {}

  next(event: Event): void {
    if (this.#closed || this.#sealed) return;
    if (event.type === 'step' && this.waiting >= LIMIT) {
      if (!this.#missed)
        this.warn(this, 'logger-slow', `${this.logger.name} is ${LIMIT} events behind: dropping step events`);
      this.#missed = true;
      return;
    }
    this.waiting++;
    this.#idle = this.#idle.then(() => this.#hand(event));
  }

  /** Takes no more events. */
  seal(): void {
    this.#sealed = true;
  }

  /** Resolves when the queue is empty; a logger that hangs on an event is abandoned. */
  async settle(): Promise<void> {
    for (let done = -1; this.waiting > 0 && done !== this.#done; ) {
      done = this.#done;
      if (await within(this.#patience, this.#idle)) return;
    }
    if (this.waiting > 0) this.#hangs();
  }

  get #patience(): number {
    return this.logger.patience ?? PATIENCE;
  }

  /** Closes the logger, unless a failure has closed it already. */
  async close(end?: RunEnd): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      const closing = Promise.resolve(this.logger.close?.(end));
      if (!(await within(this.#patience, closing))) this.#hangs();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #hand(event: Event): Promise<void> {
    try {
      if (!this.#closed) await this.logger.next(event);
    } catch (error) {
      this.#failed(error);
      await this.close();
    }
    this.#done++;
    this.waiting = Math.max(0, this.waiting - 1);
  }

  #hangs(): void {
    this.#closed = true;
    this.waiting = 0;
    const message = `${this.logger.name} has not answered for ${this.#patience} s: the run ends without it`;
    this.warn(this, 'logger-hangs', message);
  }

  #failed(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.warn(this, 'logger-failed', `${this.logger.name} no longer logs: ${why}`);
  }
}
