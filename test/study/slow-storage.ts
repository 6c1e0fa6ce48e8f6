import { MemoryStorage } from '../../src/study/storage/memory-storage.js';
import type { TrialChanges, TrialEnd } from '../../src/study/storage/storage.js';

/** A storage in memory whose writes wait until they are let through. */
export class SlowStorage extends MemoryStorage {
  #gate: Promise<void> | undefined;
  #open = () => {};

  hold(): void {
    this.#gate = new Promise((open) => {
      this.#open = open;
    });
  }

  release(): void {
    this.#gate = undefined;
    this.#open();
  }

  override async writeTrial(trial: number, changes: TrialChanges): Promise<void> {
    await this.#gate;
    return super.writeTrial(trial, changes);
  }

  override async finishTrial(trial: number, end: TrialEnd): Promise<boolean> {
    await this.#gate;
    return super.finishTrial(trial, end);
  }
}
