/** A run as a tracker's reader finds it. */
export interface TrackedRun {
  /** The points of a number, in the order in which they were written. */
  scalars(name: string): [step: number, value: number][];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly end: unknown;
}
