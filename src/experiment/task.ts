import type { Observable } from 'rxjs';
import type { Lease } from '../../operators/lease.js';
import type { Batch } from '../data/batch.js';
import type { BatchPlan, Pair, Splits } from '../data/types.js';
import type { Loss } from '../model/loss.js';
import type { Metrics } from '../model/metrics.js';
import type { Model } from '../model/model.js';

/** A task, as a training run needs it: the model, the items of each split, and how they become batches. */
export interface Task {
  readonly model: Model;
  readonly splits: Splits;
  /** Names of the classes, in the order of their ids. */
  readonly classes: readonly string[];
  readonly loss: Loss;
  /** Makes what gathers the scores of a split. */
  readonly metrics: () => Metrics;
  /** A score that rises, which the guard watches for collapse. */
  readonly guarded: string;
  /** The model's parts as plain data, so that a checkpoint can be scored. */
  readonly record: unknown;
  /** The batch of a training plan, augmented. */
  load(plan: BatchPlan): Observable<Batch>;
  /** A new stream, at each call, of items as they are and in their order. */
  inOrder(items: readonly Pair[]): () => Observable<Lease<Batch>>;
}
