import { randomUUID } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Event, PictureEvent, RunEvent } from '../events/event.js';
import { writeFileAtomic } from '../files/atomic.js';
import { readJson } from '../files/json-file.js';
import { edgesOf } from '../numeric/histogram.js';
import { hyperparametersOf } from './hyperparameters.js';
import { type LoggedRun, type Logger, type LoggerFor, type RunEnd, withEarlier } from './logger.js';
import { scalarsOf } from './scalars.js';
import { stamp, TrackioFile, type TrackioRow, type TrackioRun } from './trackio-file.js';

/** Options of `trackio`. */
export interface TrackioOptions {
  /** The folder of the projects' files. Default: TRACKIO_DIR, else `trackio` in HF_HOME. */
  readonly dir?: string;
  /** Default: TRACKIO_PROJECT, else `millrace`. */
  readonly project?: string;
}

/** Milliseconds for which rows are gathered before they are written, and the most that wait. */
const GATHER = 1000;
const MOST = 1000;

const recordSchema = z.object({ project: z.string(), run: z.string() });

/**
 * Writes a run into trackio's SQLite file, `<dir>/<project>.db`: settings, numbers, pictures of predictions, histograms of
 * weights; `trackio show` shows it. A run that failed or was stopped has an alert, since trackio knows no states.
 *
 * Rows are written once a second. A resumed run is the same run of the file, with the rows of the events before the
 * resume and the new ones (`<logs>/trackio.json` has its id).
 *
 * @example
 * training$.pipe(logTo(run, jsonLines(), trackio({ project: 'pets' }))); // trackio show --project pets
 */
export function trackio(options: TrackioOptions = {}): LoggerFor {
  return (run) => {
    const home = process.env['HF_HOME'] ?? join(homedir(), '.cache', 'huggingface');
    const dir = options.dir ?? (process.env['TRACKIO_DIR'] || join(home, 'trackio'));
    const project = options.project ?? (process.env['TRACKIO_PROJECT'] || 'millrace');
    // As trackio names a project's files.
    return new Trackio(dir, project.replaceAll(/[^\w-]/g, '') || 'default', run);
  };
}

class Trackio implements Logger {
  readonly name: string;
  readonly patience = 15;
  #file: TrackioFile | undefined;
  #run: TrackioRun = { id: '', name: '' };
  #classes: readonly string[] = [];
  #waiting: TrackioRow[] = [];
  #written = 0;

  constructor(
    private readonly dir: string,
    private readonly project: string,
    private readonly logged: LoggedRun,
  ) {
    this.name = join(dir, `${project}.db`);
  }

  async next(event: Event): Promise<void> {
    if (!this.#file) return this.#begin(event);
    await this.#take(event);
    if (this.#waiting.length >= MOST || performance.now() - this.#written >= GATHER) await this.#write();
  }

  async close(end?: RunEnd): Promise<void> {
    if (!this.#file) return;
    try {
      if (!end) return;
      await this.#write();
      if (end === 'failed') await this.#file.alert(this.#run, 'error', 'The run failed');
      if (end === 'stopped') await this.#file.alert(this.#run, 'warn', 'The run was stopped');
    } finally {
      this.#file.close();
    }
  }

  async #begin(first: Event): Promise<void> {
    const events = withEarlier(this.logged.earlier ?? [], first);
    const about = events.find((event): event is RunEvent => event.type === 'run');
    this.#file = await TrackioFile.open(this.name);
    this.#run = { id: await this.#id(), name: about?.run ?? 'run' };
    for (const event of events) await this.#take(event);
    // As trackio itself adds to the settings.
    const created = { _Created: stamp(first.time), _Group: this.logged.study?.name ?? null };
    const config = { ...(about && hyperparametersOf(about)), ...created };
    await this.#file.begin(this.#run, config, this.#waiting);
    this.#waiting = [];
  }

  /** The id of the run that is resumed, or a new one. */
  async #id(): Promise<string> {
    const { logs, earlier = [] } = this.logged;
    if (logs === undefined) return newId();
    const record = join(logs, 'trackio.json');
    const known = earlier.length > 0 ? recordSchema.safeParse(await readJson(record)).data : undefined;
    if (known?.project === this.project) return known.run;
    const id = newId();
    await writeFileAtomic(record, `${JSON.stringify({ project: this.project, run: id })}\n`);
    return id;
  }

  async #take(event: Event): Promise<void> {
    if (event.type === 'run') this.#classes = event.classes;
    if (!('step' in event) || event.type === 'trial') return;
    const { step, time } = event;
    const values = event.type === 'picture' ? await this.#picture(event) : this.#valuesOf(event);
    if (Object.keys(values).length > 0) this.#waiting.push({ step, time, values });
  }

  #valuesOf(event: Event): Record<string, unknown> {
    if (event.type !== 'weights') return Object.fromEntries(scalarsOf(event, this.#classes));
    const histograms = Object.entries(event.histograms).map(([name, histogram]) => [
      `weights/${name}`,
      { _type: 'trackio.histogram', bins: edgesOf(histogram), values: histogram.counts },
    ]);
    return Object.fromEntries(histograms);
  }

  /** Copies a picture to where trackio looks for it; one that is no longer there is left out. */
  async #picture({ name, path, step }: PictureEvent): Promise<Record<string, unknown>> {
    const file = join(this.project, this.#run.name, String(step), `${this.#run.id}-${basename(path)}`);
    const target = join(this.dir, 'media', file);
    await mkdir(dirname(target), { recursive: true });
    const isThere = await copyFile(join(this.logged.logs ?? '', path), target).then(
      () => true,
      () => false,
    );
    return isThere
      ? { [`predictions/${name}`]: { _type: 'trackio.image', file_path: file, caption: null } }
      : {};
  }

  async #write(): Promise<void> {
    await this.#file!.add(this.#run, this.#waiting);
    this.#waiting = [];
    this.#written = performance.now();
  }
}

function newId(): string {
  return randomUUID().replaceAll('-', '');
}
