/** A trial as the page shows it. Numbers that JSON lacks are null. */
export interface TrialRow {
  readonly number: number;
  readonly state: string;
  readonly values: readonly (number | null)[] | null;
  readonly params: Readonly<Record<string, string | number | boolean | null>>;
  readonly intermediate: { readonly steps: readonly number[]; readonly values: readonly (number | null)[] };
  /** Why it failed. */
  readonly reason: string | null;
  readonly seconds: number | null;
  /** The run that it trained, where its user attribute `run` names one. */
  readonly run: string | null;
}

/** How the values of a parameter are laid on an axis. */
export interface ParamAxis {
  readonly name: string;
  /** The choices, or null for numbers between `low` and `high`. */
  readonly choices: readonly string[] | null;
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
}

/** A study as the page shows it. */
export interface StudyView {
  readonly name: string;
  readonly directions: readonly ('minimize' | 'maximize')[];
  readonly metrics: readonly string[];
  readonly axes: readonly ParamAxis[];
  /** Trials that are left out, since there are too many: the first ones. */
  readonly omitted: number;
  readonly trials: readonly TrialRow[];
  /** Of the first objective, the largest first; with why there are none. */
  readonly importances: readonly (readonly [name: string, importance: number])[];
  readonly unexplained: string | null;
}
