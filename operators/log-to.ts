import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Event, WarningEvent } from '../src/events/event.js';
import type { Logger } from '../src/events/logger.js';

/** Waiting events beyond which a logger misses steps. */
const LIMIT = 10_000;

/**
 * Lets loggers listen to a run; the events pass through at once and unchanged.
 *
 * Each logger has a queue of its own and works through it in its own time, so a slow one never holds up the run. A
 * logger that lies more than 10,000 events behind misses step events until it has caught up; all other events are
 * kept. One that fails is closed and left out from there on. Either is said once, in a `WarningEvent` that the other
 * loggers hear too. The stream ends when the loggers have written everything and closed; an unsubscribe lets them
 * write what they have heard, and closes them.
 *
 * @example
 * training$.pipe(logTo(jsonLines(dir), csv(dir), tensorBoard(dir), summary(dir)));
 */
export function logTo(...loggers: readonly Logger[]): MonoTypeOperatorFunction<Event> {
  return (events$) =>
    new Observable((subscriber) => {
      const warn = (from: Queue, code: string, message: string) => {
        const warning: WarningEvent = { type: 'warning', time: Date.now(), code, message };
        for (const queue of queues) if (queue !== from) queue.next(warning);
        subscriber.next(warning);
      };
      const queues = loggers.map((logger) => new Queue(logger, warn));
      let closing: Promise<unknown> | undefined;
      const close = () => {
        closing ??= settled(queues).then(() => Promise.all(queues.map((queue) => queue.close())));
        return closing;
      };
      subscriber.add(() => void close());
      subscriber.add(
        events$.subscribe({
          next: (event) => {
            for (const queue of queues) queue.next(event);
            subscriber.next(event);
          },
          error: (error: unknown) => void close().then(() => subscriber.error(error)),
          complete: () => void close().then(() => subscriber.complete()),
        }),
      );
    });
}

/** Resolves when no queue has work left; a warning of one may give work to another. */
async function settled(queues: readonly Queue[]): Promise<void> {
  while (queues.some((queue) => queue.waiting > 0)) await Promise.all(queues.map((queue) => queue.idle));
}

/** Hands events to one logger, one after another, until it fails. */
class Queue {
  waiting = 0;
  idle: Promise<void> = Promise.resolve();
  #missed = false;
  #closed = false;

  constructor(
    private readonly logger: Logger,
    private readonly warn: (from: Queue, code: string, message: string) => void,
  ) {}

  next(event: Event): void {
    if (this.#closed) return;
    if (event.type === 'step' && this.waiting >= LIMIT) {
      if (!this.#missed)
        this.warn(this, 'logger-slow', `${this.logger.name} lies ${LIMIT} events behind and misses steps`);
      this.#missed = true;
      return;
    }
    this.waiting++;
    this.idle = this.idle.then(() => this.#hand(event));
  }

  /** Closes the logger, which a failure may have done before. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.logger.close?.();
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
    this.waiting--;
  }

  #failed(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.warn(this, 'logger-failed', `${this.logger.name} no longer logs: ${why}`);
  }
}
