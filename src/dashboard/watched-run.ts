import { join } from 'node:path';
import type { Event, ValidationEvent } from '../events/event.js';
import { parseEvent } from '../events/parse-event.js';
import { EVENTS_FILE } from '../events/read-events.js';
import { numbersOf } from '../events/shown-scores.js';
import { settingsOf } from '../experiment/run-fields.js';
import { describeRun, type RunOverview } from '../experiment/run-overview.js';
import { pointsOf } from './points.js';
import type { Picture, RunDetails, RunRow, SplitScores } from './protocol.js';
import { Series } from './series.js';
import { Tail } from './tail.js';

/** The most series, pictures, warnings, splits and epochs that are kept of a run: an event file may be anything. */
const MOST = { series: 256, pictures: 2000, warnings: 100, splits: 16, epochs: 10_000 };

/** A run whose event file is followed while another process writes it. Its memory does not grow with the file. */
export class WatchedRun {
  /** The version at which it last changed, and at which its file was last replaced. */
  version = 0;
  #replaced = 0;
  #problem: string | null = null;
  #malformed = 0;
  #overview: RunOverview | undefined;
  readonly #tail: Tail;
  #series = new Map<string, Series>();
  #about: Event | undefined;
  /** The last event of each other kind, and of each split, in the order in which they came. */
  #last = new Map<string, Event>();
  #epochs: Event[] = [];
  #splits: Record<string, SplitScores> = {};
  #pictures: Picture[] = [];
  #warnings: string[] = [];

  constructor(
    readonly name: string,
    /** Its folder of logs. */
    readonly folder: string,
  ) {
    this.#tail = new Tail(join(folder, EVENTS_FILE));
  }

  /** Whether the last reading has left something to read. */
  get behind(): boolean {
    return this.#tail.behind;
  }

  /** Reads on, a chunk at most; what changed belongs to this version. With `alive` it also asks whether its process lives. */
  async read(version: number, { alive = false } = {}): Promise<void> {
    try {
      const { lines, tooLong, replaced } = await this.#tail.next();
      if (replaced) this.#forget(version);
      if (tooLong > 0) this.#fault('a line of more than a mebibyte');
      for (const line of lines) this.#add(line, version);
      if (lines.length > 0 || tooLong > 0 || replaced || this.version === 0) this.#changed(version);
      else if (alive && this.#describe().state !== this.overview.state) this.#changed(version);
    } catch (error) {
      const message = (error as Error).message;
      if (this.#problem === message) return;
      this.#problem = message;
      this.#changed(version);
    }
  }

  /** What is known of it, without its events. */
  get overview(): RunOverview {
    this.#overview ??= this.#describe();
    return this.#overview;
  }

  /** The line of the list. */
  get row(): RunRow {
    const { adapterParameters, headParameters, backboneParameters, scores, ...run } = this.overview;
    const { name, state, problem, adapter, seed, epoch, epochs, step, split, started, seconds } = run;
    const counts = [adapterParameters, headParameters, backboneParameters];
    return {
      name,
      state,
      problem,
      adapter,
      seed,
      epoch,
      epochs,
      step,
      split,
      started,
      seconds,
      malformed: this.#malformed,
      parameters: adapterParameters === null ? null : counts.reduce<number>((sum, n) => sum + (n ?? 0), 0),
      scores: Object.fromEntries(numbersOf(scores)),
      engine: run.engine === null ? null : `${run.engine} ${run.precision}`,
      classes: run.classes,
      settings: settingsOf(run),
    };
  }

  /** The series as far as they changed after a version, and the rest. */
  detailsSince(version: number): RunDetails {
    const seen = version < this.#replaced ? 0 : version;
    const changes = [...this.#series].map(([name, series]) => [name, series.since(seen)] as const);
    return {
      series: Object.fromEntries(
        changes.filter(([, change]) => change !== undefined),
      ) as RunDetails['series'],
      splits: this.#splits,
      pictures: this.#pictures,
      warnings: this.#warnings,
    };
  }

  #describe(): RunOverview {
    const events = [...(this.#about ? [this.#about] : []), ...this.#epochs, ...this.#last.values()];
    return { ...describeRun(this.name, events, this.#problem, this.folder), events: [] };
  }

  #add(line: string, version: number): void {
    const event = parseEvent(line);
    if ('wrong' in event) return this.#fault(event.wrong);
    for (const [name, step, value] of pointsOf(event)) this.#seriesOf(name)?.add(step, value, version);
    this.#keep(event);
  }

  #keep(event: Event): void {
    if (event.type === 'epoch') keepLast(this.#epochs, event, MOST.epochs);
    else if (event.type === 'picture') keepLast(this.#pictures, event, MOST.pictures);
    else if (event.type === 'warning') keepLast(this.#warnings, event.message, MOST.warnings);
    else if (event.type === 'run') this.#about = event;
    else if (event.type === 'validation') this.#keepScores(event);
    else if (event.type === 'step' || event.type === 'done') this.#keepLast(event.type, event);
  }

  #keepScores(event: ValidationEvent): void {
    const { split, epoch, step, scores } = event;
    const isRoom = split in this.#splits || Object.keys(this.#splits).length < MOST.splits;
    if (!isRoom) return;
    this.#splits = { ...this.#splits, [split]: { epoch, step, scores } };
    this.#keepLast(`validation ${split}`, event);
  }

  #keepLast(kind: string, event: Event): void {
    this.#last.delete(kind);
    this.#last.set(kind, event);
  }

  #seriesOf(name: string): Series | undefined {
    const known = this.#series.get(name);
    if (known || this.#series.size >= MOST.series) return known;
    const series = new Series();
    this.#series.set(name, series);
    return series;
  }

  #fault(wrong: string): void {
    this.#malformed++;
    this.#problem ??= `${EVENTS_FILE}: expected an event, got ${wrong}`;
  }

  #forget(version: number): void {
    this.#replaced = version;
    this.#problem = null;
    this.#malformed = 0;
    this.#series = new Map();
    this.#about = undefined;
    this.#last = new Map();
    [this.#epochs, this.#pictures, this.#warnings] = [[], [], []];
    this.#splits = {};
  }

  #changed(version: number): void {
    this.version = version;
    this.#overview = undefined;
  }
}

function keepLast<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.shift();
}
