import { type FileHandle, open, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import type { Event } from '../events/event.js';
import { writeFileAtomic } from '../files/atomic.js';
import { writeError } from '../files/write-error.js';
import {
  folderFor,
  type LoggedRun,
  type Logger,
  type LoggerFor,
  type RunEnd,
  withEarlier,
} from './logger.js';
import { SummaryRecords } from './summary-records.js';

/**
 * Losses, scores, learning rates and throughput as scalars in a TensorBoard event file,
 * `<dir>/events.out.tfevents.<seconds>.<host>`, with the pictures of predictions, the histograms of weights (`weights`
 * events), and the settings and the end of the run for the HParams tab. `wandb sync` and Aim import it too. Scores are
 * `<split>/<name>`, and by class `<split>_<name>/<class>`, with names in snake case; matrices are left out.
 *
 * The folder holds one run: older event files in it are removed. Values are float32, as the format has them.
 *
 * @example
 * training$.pipe(logTo(run, tensorBoard())); // tensorboard --logdir logs
 */
export function tensorBoard(dir?: string): LoggerFor {
  return (run) => new TensorBoard(folderFor('tensorBoard', dir, run.logs), run);
}

class TensorBoard implements Logger {
  readonly name: string;
  readonly #records: SummaryRecords;
  #path = '';
  #file: FileHandle | undefined;

  constructor(
    private readonly dir: string,
    private readonly run: LoggedRun,
  ) {
    this.name = join(dir, 'events.out.tfevents.*');
    this.#records = new SummaryRecords(run);
  }

  async next(event: Event): Promise<void> {
    if (!this.#file) return this.#begin(event);
    await this.#append(await this.#records.of(event));
  }

  async close(end?: RunEnd): Promise<void> {
    if (!this.#file) return;
    try {
      if (end) await this.#append(this.#records.end(end));
    } finally {
      await this.#file.close();
    }
  }

  /** Replaces the file at the first event, whole or not at all. */
  async #begin(first: Event): Promise<void> {
    const { dir, run } = this;
    this.#path = join(dir, `events.out.tfevents.${Math.floor(first.time / 1000)}.${hostname()}`);
    const records = [this.#records.version(first.time)];
    for (const event of withEarlier(run.earlier ?? [], first)) records.push(await this.#records.of(event));
    await writeFileAtomic(this.#path, Buffer.concat(records));
    const { default: fastGlob } = await import('fast-glob');
    const old = await fastGlob('events.out.tfevents.*', { cwd: dir, ignore: [basename(this.#path)] });
    for (const name of old) await rm(join(dir, name));
    this.#file = await open(this.#path, 'a');
  }

  async #append(records: Buffer): Promise<void> {
    if (records.length === 0) return;
    await this.#file!.appendFile(records).catch((error: unknown) => {
      throw writeError(this.#path, error);
    });
  }
}
