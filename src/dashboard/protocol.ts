import type { RunState } from '../experiment/run-overview.js';

/** What the list of the page shows of a run. Times are in milliseconds since 1970. */
export interface RunRow {
  readonly name: string;
  readonly state: RunState;
  /** What is wrong with its event file, and how many of its lines are no events. */
  readonly problem: string | null;
  readonly malformed: number;
  readonly adapter: string | null;
  readonly parameters: number | null;
  readonly seed: number | null;
  readonly epoch: number;
  readonly epochs: number | null;
  readonly step: number;
  readonly split: string | null;
  readonly scores: Readonly<Record<string, number>>;
  readonly started: number | null;
  readonly seconds: number | null;
  readonly engine: string | null;
  readonly classes: readonly string[];
  /** By flag, as in `rank` and `data-percentage`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * New points of a series: those from index `from` on take the place of what was there. A value is null where it is
 * no number.
 */
export interface SeriesChange {
  readonly from: number;
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
}

/** The last scores of a split: all of them, vectors by class and matrices too. */
export interface SplitScores {
  readonly epoch: number;
  readonly step: number;
  readonly scores: Readonly<Record<string, unknown>>;
}

/** A drawing of predictions, by the path of its file in the run's folder of logs. */
export interface Picture {
  readonly name: string;
  readonly path: string;
  readonly epoch: number;
  readonly step: number;
}

/** What the page holds of a run that it charts. */
export interface RunDetails {
  /** Changed series by name, such as `loss` or `validation/dice`. */
  readonly series: Readonly<Record<string, SeriesChange>>;
  readonly splits: Readonly<Record<string, SplitScores>>;
  readonly pictures: readonly Picture[];
  readonly warnings: readonly string[];
}

/** The data of a `run` event of the stream: a run that has changed; with details where the page asked for them. */
export interface RunChange {
  readonly row: RunRow;
  readonly details?: RunDetails;
}

/** The data of an `at` event, after all changes of a moment: the runs that there are, and what is wrong with the folder. */
export interface Moment {
  readonly runs: readonly string[];
  readonly problems: readonly string[];
}
