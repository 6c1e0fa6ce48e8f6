import type { Storage } from './storage/storage.js';
import type { Trial } from './trial.js';

/** The trials of a study that this process runs, by number. Those that it asked for beat until they are removed. */
export class RunningTrials {
  readonly #byNumber = new Map<number, Trial>();

  constructor(private readonly storage: Storage) {}

  get size(): number {
    return this.#byNumber.size;
  }

  get(number: number): Trial | undefined {
    return this.#byNumber.get(number);
  }

  /** Adds a trial that begins here, and starts its heartbeat. */
  begin(trial: Trial): void {
    this.storage.startBeating?.(trial.record.id);
    this.add(trial);
  }

  /** Adds a trial that another process may have begun, for its end to be told here. */
  add(trial: Trial): void {
    this.#byNumber.set(trial.number, trial);
  }

  /** Removes a trial and ends its heartbeat. */
  remove(number: number): void {
    const trial = this.#byNumber.get(number);
    if (!trial) return;
    this.storage.stopBeating?.(trial.record.id);
    trial.close();
    this.#byNumber.delete(number);
  }

  removeAll(): void {
    for (const number of this.#byNumber.keys()) this.remove(number);
  }
}
