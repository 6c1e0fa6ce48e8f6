import type { Source } from './source.js';

/** Something that is loaded as one sample. `stem` names it wherever samples are split, listed or recorded. */
export interface Item {
  /** Unique among the items of a data set. */
  readonly stem: string;
}

/** A window of a picture, in its pixels; it may reach beyond a picture that is smaller. */
export interface Tile {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** The size of the picture that it is cut from. */
  readonly picture: { readonly width: number; readonly height: number };
  /** Whether it is the picture's last one, in the order of `tilesOf`. */
  readonly last: boolean;
}

/** An image. */
export interface ImageItem extends Item {
  /** Where its bytes are: mostly the path of a file. */
  readonly image: Source;
  /** The part of it that is meant. Default: all. */
  readonly tile?: Tile;
}

/** An image and the mask that belongs to it; `stem` is the name they share. */
export interface Pair extends ImageItem {
  /** Where the mask's bytes are. */
  readonly mask: Source;
}

/** A pair whose image and mask are files of their own. */
export interface FilePair extends Pair {
  readonly image: string;
  readonly mask: string;
}

/**
 * Everything that one sample is a function of. `epoch` counts from 1; `index` is the item's place in its data set.
 */
export interface SamplePlan<I extends Item = Pair> {
  readonly item: I;
  readonly seed: number;
  readonly epoch: number;
  readonly index: number;
}

/** The contents of a batch to come: small, so that millions of plans cost nothing until they are pulled. */
export interface BatchPlan<I extends Item = Pair> {
  /** From 1. */
  readonly epoch: number;
  /** This batch's place in its epoch, from 0. */
  readonly batch: number;
  /** Batches in an epoch. */
  readonly batches: number;
  /** Batches before this one since the run began: what a checkpoint records as consumed is `position + 1`. */
  readonly position: number;
  /** The samples of the batch, in order. */
  readonly samples: readonly SamplePlan<I>[];
}

/**
 * One decoded image, row by row: RGB bytes, height × width × 3, or 16-bit values of other channels, height × width ×
 * channels; floats once `normalize` has made them.
 */
export interface Sample<
  I extends Item = Item,
  P extends Uint8Array | Uint16Array | Float32Array = Uint8Array,
> {
  /** What the sample was loaded for. */
  readonly plan: SamplePlan<I>;
  readonly width: number;
  readonly height: number;
  /** The pixels. */
  readonly image: P;
}

/** One decoded image and its mask. */
export interface MaskedSample<P extends Uint8Array | Uint16Array | Float32Array = Uint8Array>
  extends Sample<Pair, P> {
  /** Class ids, row by row, height × width; 255 is ignored by every loss and metric. */
  readonly mask: Uint8Array;
}

/** The class id that losses and metrics ignore. */
export const IGNORE_INDEX = 255;

/** Items by use. */
export interface Splits<I extends Item = Pair> {
  readonly train: readonly I[];
  readonly validation: readonly I[];
  readonly test: readonly I[];
  /** Items that a percentage leaves out. */
  readonly unused?: readonly I[];
}
