import type { Worker } from 'node:worker_threads';
import { UserError } from '../../../base/errors.js';
import { startThread } from '../../../base/start-thread.js';

/** Orders to the thread. */
export type HeartOrder = { readonly begin: number } | { readonly end: number } | { readonly close: true };
/** Messages from the thread. */
export type HeartNews = { readonly ready: true } | { readonly warning: string } | { readonly failed: string };

/** Milliseconds that the thread may take to close its connection. */
const FAREWELL = 2000;

/**
 * Sends the heartbeats of this process's trials on a thread and a connection of its own: an objective that blocks the
 * event loop does not stop them. All trials beat in one statement.
 *
 * The thread begins with the first trial, and does not keep the process alive.
 */
export class Heart {
  readonly #trials = new Set<number>();
  #thread: Worker | undefined;
  #ready: Promise<void> | undefined;

  constructor(
    /** With its password. */
    private readonly url: string,
    /** Seconds. */
    private readonly interval: number,
    private readonly warn: (message: string) => void,
  ) {}

  /** Resolves when the thread runs, so that a trial never begins without a heartbeat. */
  ready(): Promise<void> {
    this.#ready ??= this.#start();
    return this.#ready;
  }

  begin(trial: number): void {
    this.#trials.add(trial);
    if (this.#thread) this.#tell({ begin: trial });
    else this.ready().catch((error: Error) => this.warn(error.message));
  }

  end(trial: number): void {
    this.#trials.delete(trial);
    this.#tell({ end: trial });
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    this.#stopped();
    thread.ref();
    await new Promise<void>((done) => {
      const timeout = setTimeout(done, FAREWELL);
      thread.once('exit', () => {
        clearTimeout(timeout);
        done();
      });
      thread.postMessage({ close: true } satisfies HeartOrder);
    });
    await thread.terminate();
  }

  #tell(order: HeartOrder): void {
    this.#thread?.postMessage(order);
  }

  #stopped(): void {
    this.#thread = undefined;
    this.#ready = undefined;
  }

  #start(): Promise<void> {
    const { url, interval } = this;
    return new Promise((resolve, reject) => {
      const thread = startThread('heart-thread', import.meta.url, { url, interval });
      const failed = (message: string) => {
        if (this.#thread === thread) this.#stopped();
        void thread.terminate();
        reject(new UserError(`heartbeats: ${message}`));
      };
      thread.on('message', (news: HeartNews) => {
        if ('warning' in news) this.warn(news.warning);
        else if ('failed' in news) failed(news.failed);
        else {
          for (const trial of this.#trials) this.#tell({ begin: trial });
          // From here on it has to end before the process does, not the process to wait for it.
          thread.unref();
          resolve();
        }
      });
      thread.on('error', (error: Error) => failed(error.message));
      this.#thread = thread;
    });
  }
}
