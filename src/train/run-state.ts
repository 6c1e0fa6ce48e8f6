import type { Parameters } from '../model/parameters.js';
import type { Training } from './training.js';

/** Sums over the batches of the current epoch; zero between epochs. */
export interface EpochSums {
  loss: number;
  images: number;
  seconds: number;
  /** Steps without an update, since their gradients were not finite. */
  skipped: number;
}

/** JSON that an observer of the run (early stopping, the guard) gets back after a resume. */
export type Memory = Record<string, Record<string, number | null>>;

/** The state that a checkpoint must hold for a resumed run to end with the same weights. */
export interface RunState {
  readonly training: Pick<Training, 'seed' | 'schedule' | 'position' | 'state' | 'disposed'> & {
    readonly model: { readonly parameters: Parameters };
  };
  readonly sums: EpochSums;
  readonly memory: Memory;
}
