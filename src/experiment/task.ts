import type { Tensor } from '@tensorflow/tfjs-core';
import type { Observable } from 'rxjs';
import type { Lease } from '../../operators/lease.js';
import type { Batch, Tensors } from '../data/batch.js';
import type { Order } from '../data/order.js';
import type { BatchPlan, Item, Pair, Splits } from '../data/types.js';
import type { MetricName, Scores } from '../events/scores.js';
import type { Loss } from '../model/loss.js';
import type { Metrics } from '../model/metrics.js';
import type { Model } from '../model/model.js';

/** A task, as a training run needs it: the model, the items of each split, and how they become batches. */
export interface Task<
  I extends Item = Pair,
  In extends Tensors = Tensor,
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
  S extends Scores = Scores,
> {
  readonly model: Model<In, Out>;
  readonly splits: Splits<I>;
  /** The splits that checkpoints record, where items are parts of pictures. Default: `splits`. */
  readonly recordedSplits?: Splits<I>;
  /** The order of the training items in each epoch. Default: a shuffle of all. */
  readonly order?: Order | undefined;
  /** Names of the classes, in the order of their ids. */
  readonly classes: readonly string[];
  readonly loss: Loss<Out, Target>;
  /** Makes the metrics of a split. */
  readonly metrics: () => Metrics<Out, Target, S>;
  /** The score that the guard watches for a collapse; higher must be better. */
  readonly guarded: Exclude<MetricName<S>, 'loss'>;
  /** The model's parts as plain data, so that a checkpoint can be scored. */
  readonly record: unknown;
  /** The batch of a training plan, augmented. */
  load(plan: BatchPlan<I>): Observable<Batch<In, Target>>;
  /**
   * Draws predictions of a model on each sample of the batches, in their order, into one file. Default: a run draws none.
   */
  draw?(
    model: Model<In, Out>,
    batches$: Observable<Lease<Batch<In, Target>>>,
    path: string,
  ): Observable<unknown>;
  /** A new stream, at each call, of unaugmented items in order. */
  inOrder(items: readonly I[]): () => Observable<Lease<Batch<In, Target>>>;
  /** Both once more, as the output of the blocks in which the model trains nothing, where this is cached. */
  readonly trunk?: Pick<Task<I, In, Out, Target, S>, 'load' | 'inOrder'>;
}
