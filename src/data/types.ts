/** An image file and the mask that belongs to it; `stem` is the name they share. */
export interface Pair {
  readonly stem: string;
  readonly image: string;
  readonly mask: string;
}

/** All that one sample is a function of. `epoch` counts from 1; `index` is the pair's place in its data set. */
export interface SamplePlan {
  readonly pair: Pair;
  readonly seed: number;
  readonly epoch: number;
  readonly index: number;
}

/** What one batch will hold: nothing heavy, so that millions of plans cost nothing until they are pulled. */
export interface BatchPlan {
  /** From 1. */
  readonly epoch: number;
  /** This batch's place in its epoch, from 0. */
  readonly batch: number;
  /** Batches in an epoch. */
  readonly batches: number;
  /** Batches before this one since the run began: what a checkpoint records as consumed is `position + 1`. */
  readonly position: number;
  readonly samples: readonly SamplePlan[];
}

/** One decoded image and its mask, row by row. */
export interface Sample {
  readonly plan: SamplePlan;
  readonly width: number;
  readonly height: number;
  /** RGB, height × width × 3: bytes until `normalize` turns them into floats. */
  readonly image: Uint8Array | Float32Array;
  /** Class ids, height × width; 255 is ignored by every loss and metric. */
  readonly mask: Uint8Array;
}

/** The class id that no loss and no metric counts. */
export const IGNORE_INDEX = 255;

/** Pairs by use. */
export interface Splits {
  readonly train: readonly Pair[];
  readonly validation: readonly Pair[];
  readonly test: readonly Pair[];
  /** Those that a percentage leaves out. */
  readonly unused?: readonly Pair[];
}
