import type { Moment, Picture, RunChange, RunRow, SplitScores } from '../protocol.js';

/** A series as far as it has come. */
export interface Curve {
  readonly steps: number[];
  readonly values: (number | null)[];
  /** Another number after each change. */
  revision: number;
}

/** A run as the page knows it; curves and scores of those alone that are selected. */
export interface LiveRun {
  row: RunRow;
  readonly curves: Map<string, Curve>;
  splits: Readonly<Record<string, SplitScores>>;
  pictures: readonly Picture[];
  warnings: readonly string[];
}

/** The runs of the server, kept up to date by its event stream; `changed` is called after each moment's changes. */
export class Live {
  readonly runs = new Map<string, LiveRun>();
  problems: readonly string[] = [];
  connected = false;
  #source: EventSource | undefined;
  #selected: readonly string[] = [];

  constructor(private readonly changed: () => void) {
    // A hidden page gives its connection back: a browser has six for one server.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#disconnect();
      else this.select(this.#selected);
    });
  }

  /** Asks for the curves of these runs from now on. */
  select(names: readonly string[]): void {
    this.#selected = names;
    this.#disconnect();
    const query = new URLSearchParams(names.map((name) => ['run', name]));
    const source = new EventSource(`/api/events?${query}`);
    this.#source = source;
    source.addEventListener('run', ({ data }) => this.#apply(JSON.parse(data) as RunChange));
    source.addEventListener('at', ({ data }) => this.#arrive(JSON.parse(data) as Moment));
    source.addEventListener('error', () => {
      this.connected = false;
      this.changed();
      // A server that refuses ends the source; one that is gone is tried again by the browser itself.
      if (source.readyState === EventSource.CLOSED)
        setTimeout(() => source === this.#source && this.select(this.#selected), 3000);
    });
  }

  #disconnect(): void {
    this.#source?.close();
    this.#source = undefined;
  }

  #apply({ row, details }: RunChange): void {
    const run: LiveRun = this.runs.get(row.name) ?? {
      row,
      curves: new Map(),
      splits: {},
      pictures: [],
      warnings: [],
    };
    run.row = row;
    this.runs.set(row.name, run);
    if (details) {
      const { series, splits, pictures, warnings } = details;
      Object.assign(run, { splits, pictures, warnings });
      for (const [name, { from, steps, values }] of Object.entries(series)) {
        const curve = run.curves.get(name) ?? { steps: [], values: [], revision: 0 };
        curve.steps.splice(from, Number.POSITIVE_INFINITY, ...steps);
        curve.values.splice(from, Number.POSITIVE_INFINITY, ...values);
        curve.revision++;
        run.curves.set(name, curve);
      }
    }
    this.changed();
  }

  #arrive({ runs, problems }: Moment): void {
    const there = new Set(runs);
    for (const name of this.runs.keys()) if (!there.has(name)) this.runs.delete(name);
    this.problems = problems;
    this.connected = true;
    this.changed();
  }
}
