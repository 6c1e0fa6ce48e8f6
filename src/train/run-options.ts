import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tensors } from '../data/batch.js';
import type { Item, Splits } from '../data/types.js';
import type { MetricName, Scores } from '../events/scores.js';
import type { Metrics } from '../model/metrics.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { TrainingOptions } from './training-options.js';

/** Options of a `Run`, beside those of its `Training`. */
export interface RunOptions<
  In extends Tensors = Tensor,
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
  S extends Scores = Scores,
> extends TrainingOptions<In, Out, Target> {
  /** The run's name in events and logs. Default `run`. */
  readonly name?: string;
  /** Passes over the training items. */
  readonly epochs: number;
  readonly batchSize: number;
  /** Names of the classes, in the order of their ids. */
  readonly classes: readonly string[];
  /** Makes the metrics of a split. Default: the loss alone. */
  readonly metrics?: () => Metrics<Out, Target, S>;
  /** The validation score that chooses the best checkpoint and drives early stopping. Default `loss`. */
  readonly metric?: MetricName<S>;
  /** The store of the run's checkpoints. Without one, `checkpoint(run)` and `testBest(run, …)` refuse. */
  readonly store?: CheckpointStore;
  /** Folder of the run's logs: for loggers without a folder of their own, and for a resume. */
  readonly logs?: string;
  /** Folder of the run's plots. */
  readonly plots?: string;
  /** The run's settings, recorded in its first event and its checkpoints. Default: none. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The items of each split, recorded in the checkpoints, so that a resumed run keeps them. */
  readonly splits?: Splits<Item>;
}
