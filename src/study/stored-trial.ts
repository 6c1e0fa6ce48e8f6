import { checkedAttr } from './checks/checked-attrs.js';
import { FinishedTrialError, type Storage, type TrialChanges } from './storage/storage.js';
import { applyChanges, endRecord, type TrialRecord } from './storage/trial-record.js';
import type { FrozenTrial, Json, TrialState } from './trials/frozen-trial.js';
import { TrialEndedError } from './trials/trial-ended-error.js';
import { WriteBehind } from './write-behind.js';

/** A trial as the process that runs it keeps it: its record and attributes, written behind, and its end. */
export abstract class StoredTrial {
  /** Resolves when the trial has ended, in whatever state. */
  readonly ended: Promise<void>;
  readonly #writes: WriteBehind;
  #told = false;
  #resolveEnded = () => {};

  protected constructor(
    /** @internal */
    readonly record: TrialRecord,
    private readonly storage: Storage,
  ) {
    this.#writes = new WriteBehind((changes) => storage.writeTrial(record.id, changes));
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** The trial's number in its study, from 0. */
  get number(): number {
    return this.record.number;
  }

  /** The parameters suggested so far, by name. */
  get params(): FrozenTrial['params'] {
    return this.record.params;
  }

  /** Attributes set by user code. */
  get userAttrs(): FrozenTrial['userAttrs'] {
    return this.record.userAttrs;
  }

  /** Attributes set by the study, its sampler or its pruner. */
  get systemAttrs(): FrozenTrial['systemAttrs'] {
    return this.record.systemAttrs;
  }

  /** Whether the trial was told, or is being told now. */
  get told(): boolean {
    return this.#told;
  }

  /** @throws UserError when the value is not JSON, or the storage cannot hold it or its key. */
  setUserAttr(key: string, value: Json): void {
    this.checkOpen();
    const json = checkedAttr('user attribute', key, value, this.storage.limits, this.record.userAttrs);
    this.change({ userAttrs: { [key]: json } });
  }

  /** As `setUserAttr`, for what belongs to the study's own workings. */
  setSystemAttr(key: string, value: Json): void {
    this.checkOpen();
    this.note(key, value);
  }

  /** As `setSystemAttr`, even while the trial is being told: for a sampler's or the study's own note. */
  note(key: string, value: Json): void {
    const { record, storage } = this;
    const json = checkedAttr('system attribute', key, value, storage.limits, record.systemAttrs);
    this.change({ systemAttrs: { [key]: json } });
  }

  /** Writes what is pending and waits for it. */
  flush(): Promise<void> {
    return this.#writes.flush();
  }

  /** Refuses every further change by user code: the trial is being told. */
  seal(): void {
    this.#told = true;
  }

  /**
   * The changes to store along with the trial's end, after the earlier ones are written.
   *
   * Where the trial has ended elsewhere, storing its end will say so.
   */
  async lastChanges(): Promise<TrialChanges | undefined> {
    const changes = this.#writes.take();
    await this.#writes.settled().catch((error: unknown) => {
      if (!(error instanceof FinishedTrialError)) throw error;
    });
    return changes;
  }

  /** Takes over the stored trial, which refused the last changes. */
  replace(stored: FrozenTrial): void {
    Object.assign(this.record, stored);
  }

  /** Takes over the stored end of the trial. */
  end(state: TrialState, values: readonly number[] | null, time: number): void {
    endRecord(this.record, state, values, time);
  }

  /** Resolves `ended`: nothing follows. */
  close(): void {
    this.#writes.cancel();
    this.#resolveEnded();
  }

  /** @throws TrialEndedError where user code can change the trial no more. */
  protected checkOpen(): void {
    if (this.#told) throw new TrialEndedError(this.record, 'to change');
  }

  /** Changes the record now, and the storage soon. */
  protected change(changes: TrialChanges): void {
    applyChanges(this.record, changes);
    this.#writes.add(changes);
  }
}
