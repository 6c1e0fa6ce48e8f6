import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tensors } from '../data/batch.js';
import type { Scores } from '../events/scores.js';
import type { Extras } from './loss.js';

/** Accumulates the scores of one split, batch by batch. One object serves one pass over the split. */
export interface Metrics<
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
  S extends Scores = Scores,
> {
  /** Adds a batch, with what the model says beside its outputs; the caller keeps the tensors. */
  add(outputs: Out, targets: Target, extras?: Extras): Promise<void>;
  /** The scores of everything that was added. */
  scores(): S;
}
