import { randomUUID } from 'node:crypto';
import { copyFile, type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { packageVersion } from '../base/package.js';
import { loadSharp } from '../base/sharp.js';
import type { Event, PictureEvent, RunEvent } from '../events/event.js';
import { writeFileAtomic } from '../files/atomic.js';
import { writeError } from '../files/write-error.js';
import { edgesOf, type Histogram } from '../numeric/histogram.js';
import { hyperparametersOf } from './hyperparameters.js';
import {
  folderFor,
  type LoggedRun,
  type Logger,
  type LoggerFor,
  type RunEnd,
  withEarlier,
} from './logger.js';
import { plotsOf } from './plots.js';
import { scalarsOf } from './scalars.js';
import { type WandbItem, WandbRecords } from './wandb-records.js';

/** Options of `wandb`. */
export interface WandbOptions {
  /** Default: WANDB_PROJECT, else `millrace`. */
  readonly project?: string;
  /** The user or team. Default: WANDB_ENTITY, else who syncs. */
  readonly entity?: string;
}

/** Of a run that was stopped, W&B's own code. */
const EXIT: Record<RunEnd, number> = { finished: 0, failed: 1, stopped: 255 };

/**
 * Writes a run as wandb does offline, `<logs>/wandb/offline-run-<time>-<id>/`: settings, numbers by step, pictures of
 * predictions, histograms of weights, the run's plots, and the exit code. `wandb sync <that folder>` uploads it; nothing is sent from here.
 *
 * A resumed run keeps its id: its file holds the events before the resume and the new ones, and may be synced again. A run
 * that is replaced loses its folder. The values of a step are one row, which is written when the next step comes.
 *
 * @example
 * training$.pipe(logTo(run, jsonLines(), wandb({ project: 'pets' }))); // wandb sync logs/lora_42/wandb/offline-run-*
 */
export function wandb(options: WandbOptions = {}): LoggerFor {
  return (run) => new Wandb(join(folderFor('wandb', undefined, run.logs), 'wandb'), options, run);
}

class Wandb implements Logger {
  readonly name: string;
  readonly #records = new WandbRecords();
  #folder = '';
  #path = '';
  #file: FileHandle | undefined;
  #classes: readonly string[] = [];
  #started = 0;
  /** The row of the current step. */
  #row: WandbItem[] = [];
  #step = 0;
  #time = 0;

  constructor(
    private readonly dir: string,
    private readonly options: WandbOptions,
    private readonly run: LoggedRun,
  ) {
    this.name = join(dir, 'offline-run-*');
  }

  async next(event: Event): Promise<void> {
    if (!this.#file) return this.#begin(event);
    await this.#append(await this.#of(event));
  }

  async close(end?: RunEnd): Promise<void> {
    if (!this.#file) return;
    try {
      if (!end) return;
      await this.#append(this.#rowSoFar(), ...(await this.#plots()));
      await this.#append(this.#records.exit(EXIT[end], this.#seconds()));
    } finally {
      await this.#file.close();
    }
  }

  /** Writes the file anew at the first event, whole or not at all, under the id that a resumed run had. */
  async #begin(first: Event): Promise<void> {
    const { dir, options, run } = this;
    const events = withEarlier(run.earlier ?? [], first);
    const about = events.find((event): event is RunEvent => event.type === 'run');
    const { default: fastGlob } = await import('fast-glob');
    const folders = await fastGlob('offline-run-*', { cwd: dir, onlyDirectories: true });
    const known = run.earlier?.length ? folders.toSorted().at(-1) : undefined;
    const time = (run.earlier?.[0] ?? first).time;
    const id = known?.split('-').at(-1) ?? randomUUID().slice(0, 8);
    this.#folder = join(dir, known ?? `offline-run-${stamp(time)}-${id}`);
    this.#path = join(this.#folder, `run-${id}.wandb`);
    this.#started = time;
    const bytes = this.#records.begin(`millrace ${packageVersion()}`, {
      id,
      project: options.project ?? (process.env['WANDB_PROJECT'] || 'millrace'),
      entity: options.entity ?? process.env['WANDB_ENTITY'],
      name: about?.run ?? 'run',
      group: run.study?.name,
      config: about ? hyperparametersOf(about) : {},
      host: hostname(),
      time,
    });
    const all = [bytes];
    for (const event of events) all.push(await this.#of(event));
    await writeFileAtomic(this.#path, Buffer.concat(all));
    for (const folder of folders) if (folder !== known) await rm(join(dir, folder), { recursive: true });
    // Where `wandb sync` notes what it has synced.
    for (const note of ['synced', 'syncstate']) await rm(`${this.#path}.${note}`, { force: true });
    this.#file = await open(this.#path, 'a');
  }

  /** The bytes that an event adds. */
  async #of(event: Event): Promise<Buffer> {
    if (event.type === 'run') this.#classes = event.classes;
    if (!('step' in event) || event.type === 'trial' || event.type === 'done') return Buffer.alloc(0);
    const isNext = event.step > this.#step;
    const before = isNext ? this.#rowSoFar() : Buffer.alloc(0);
    this.#step = event.step;
    this.#time = event.time;
    if (event.type === 'picture') return Buffer.concat([before, await this.#picture(event)]);
    if (event.type === 'weights')
      for (const [name, histogram] of Object.entries(event.histograms))
        this.#row.push(...histogramItems(name, histogram));
    for (const [name, value] of scalarsOf(event, this.#classes)) this.#row.push([[name], numberJson(value)]);
    return before;
  }

  /** Ends the row of the current step; empty where there is none. */
  #rowSoFar(): Buffer {
    if (this.#row.length === 0) return Buffer.alloc(0);
    const items: WandbItem[] = [
      ...this.#row,
      [['_step'], String(this.#step)],
      [['_timestamp'], String(this.#time / 1000)],
      [['_runtime'], String(this.#seconds())],
    ];
    this.#row = [];
    return this.#records.row(this.#step, items);
  }

  #seconds(): number {
    return Math.max(0, this.#time - this.#started) / 1000;
  }

  /** Copies the plots that the logger `plots` has drawn among the run's files. */
  async #plots(): Promise<Buffer[]> {
    const records = [];
    for (const path of await plotsOf(this.run)) {
      const file = `plots/${basename(path)}`;
      const target = join(this.#folder, 'files', file);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(path, target);
      records.push(this.#records.file(file));
    }
    return records;
  }

  /** Copies a picture among the run's files; one that is no longer there is left out. */
  async #picture({ name, path, step }: PictureEvent): Promise<Buffer> {
    const source = join(this.run.logs ?? '', path);
    const file = `media/images/predictions/${name}_${step}_${basename(path)}`;
    const target = join(this.#folder, 'files', file);
    await mkdir(dirname(target), { recursive: true });
    const isThere = await copyFile(source, target).then(
      () => true,
      () => false,
    );
    if (!isThere) return Buffer.alloc(0);
    const { width, height } = await loadSharp()(target).metadata();
    const image = { _type: 'image-file', path: file, format: 'jpg', width, height };
    for (const [part, value] of Object.entries(image))
      this.#row.push([[`predictions/${name}`, part], JSON.stringify(value)]);
    return this.#records.file(file);
  }

  async #append(...bytes: readonly Buffer[]): Promise<void> {
    const all = Buffer.concat(bytes);
    if (all.length === 0) return;
    await this.#file!.appendFile(all).catch((error: unknown) => {
      throw writeError(this.#path, error);
    });
  }
}

function histogramItems(name: string, histogram: Histogram): WandbItem[] {
  const value = { _type: 'histogram', bins: edgesOf(histogram), values: histogram.counts };
  return Object.entries(value).map(([part, it]) => [[`weights/${name}`, part], JSON.stringify(it)]);
}

/** A number as wandb writes it: with NaN and infinities, which JSON lacks. */
function numberJson(value: number): string {
  return String(value);
}

/** A time as wandb's folders have it: `20261127_140841`, of UTC. */
function stamp(time: number): string {
  const [date, clock] = new Date(time).toISOString().split('T') as [string, string];
  return `${date.replaceAll('-', '')}_${clock.slice(0, 8).replaceAll(':', '')}`;
}
