import type { FrozenTrial } from '../../trials/frozen-trial.js';

/** The trial system attribute that names the distribution a trial was drawn from. */
export const NOTE_KEY = 'millrace:cma-es';
/** The base of trials that were drawn from the first generation. */
export const START = -1;

/**
 * `base` is the number of the trial at whose asking the distribution was made, and which says of what: the `told`
 * trials of the distribution `parent`.
 */
export interface Note {
  readonly space: string;
  readonly generation: number;
  readonly base: number;
  readonly parent?: number;
  readonly told?: readonly number[];
}

/** The trial's note, if it belongs to this space. */
export function noteOf({ systemAttrs }: FrozenTrial, space: string): Note | undefined {
  const note = systemAttrs[NOTE_KEY] as unknown as Note | undefined;
  return note?.space === space ? note : undefined;
}

/**
 * Numbers of trials by the distributions that existed when they were drawn: the first alone, or a later one too.
 */
export interface Drawn {
  early: number;
  late: number;
}

export function count(drawn: Drawn, note: Note | undefined): void {
  if (note) drawn[isEarly(note) ? 'early' : 'late']++;
}

export function isEarly({ base, parent }: Note): boolean {
  return base === START || parent === START;
}
