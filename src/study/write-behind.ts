import type { StoredParam, TrialChanges } from './storage/storage.js';
import type { Json } from './trials/frozen-trial.js';
import { setOwn } from './trials/set-own.js';

/**
 * Collects the changes of one trial and writes them together, at the latest in the next turn of the event loop.
 *
 * Writes follow one another in order. A write that fails makes the next `flush` or `settled` throw its error.
 */
export class WriteBehind {
  #pending = noChanges();
  #scheduled: NodeJS.Immediate | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(private readonly write: (changes: TrialChanges) => Promise<void>) {}

  add({ params, intermediateValues, userAttrs, systemAttrs }: TrialChanges): void {
    const pending = this.#pending;
    for (const [name, param] of params ?? []) pending.params.set(name, param);
    for (const [step, value] of intermediateValues ?? []) pending.intermediateValues.set(step, value);
    for (const key in userAttrs) setOwn(pending.userAttrs, key, userAttrs[key]!);
    for (const key in systemAttrs) setOwn(pending.systemAttrs, key, systemAttrs[key]!);
    pending.count++;
    this.#scheduled ??= setImmediate(() => this.#start());
  }

  /** Writes what is pending and waits for it. */
  flush(): Promise<void> {
    this.#start();
    return this.settled();
  }

  /** Pending writes, for a caller that writes them together with something else. */
  take(): TrialChanges | undefined {
    this.cancel();
    const changes = this.#pending;
    if (changes.count === 0) return undefined;
    this.#pending = noChanges();
    return changes;
  }

  /** Waits for pending writes; throws the error of one that failed, once. */
  async settled(): Promise<void> {
    await this.#writing;
    const failure = this.#failure;
    if (failure === undefined) return;
    this.#failure = undefined;
    throw failure;
  }

  /** Stops writing by itself. */
  cancel(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
  }

  #start(): void {
    const changes = this.take();
    if (!changes) return;
    this.#writing = this.#writing
      .then(() => this.write(changes))
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
  }
}

function noChanges() {
  return {
    params: new Map<string, StoredParam>(),
    intermediateValues: new Map<number, number>(),
    userAttrs: {} as Record<string, Json>,
    systemAttrs: {} as Record<string, Json>,
    count: 0,
  };
}
