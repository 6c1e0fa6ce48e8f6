import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import { type Batch, shapeOf, type Tensors } from '../data/batch.js';
import { batchesPerEpoch, batchPlans } from '../data/batch-plans.js';
import type { Order } from '../data/order.js';
import type { Sequence } from '../data/sequence.js';
import type { BatchPlan, Item, Splits } from '../data/types.js';
import { memoryHint } from '../engine/out-of-memory.js';
import type { CheckpointEvent, EpochEvent, Event, StepEvent, WarningEvent } from '../events/event.js';
import { earlierEvents } from '../events/read-events.js';
import type { MetricName, Scores } from '../events/scores.js';
import { warningEvent } from '../events/warning-event.js';
import type { Metrics } from '../model/metrics.js';
import type { Model } from '../model/model.js';
import type { CheckpointStore } from './checkpoint-store.js';
import { DataWaits } from './data-waits.js';
import { changedSettings, refuseChanged, refuseEarlier } from './earlier-run.js';
import { lossMetrics } from './loss-metrics.js';
import { restore } from './restore.js';
import { epochEvent, stepEvent } from './run-events.js';
import type { RunOptions } from './run-options.js';
import type { EpochSums, Memory, RunState } from './run-state.js';
import { Training } from './training.js';

/**
 * One training from its first batch to its last event, and all of its state: the model and its optimiser, the position,
 * the sums of the epoch, what observers remember, the schedule, the checkpoints, and the events before a resume.
 *
 * The operators (`trainStep`, `validate`, `checkpoint`, `guard`, `earlyStop`, `testBest`, `asRun`, `logTo`) take the run
 * and keep nothing of their own. Owns the optimiser's tensors (`dispose` frees them); the model stays its maker's.
 *
 * @example
 * const [classes, loss] = [['pet', 'background', 'border'], logCoshDice()];
 * const run = new Run({
 *   model, loss, optimizer: adamW(), learningRate: 1e-3, epochs: 2, batchSize: 8, seed: 42,
 *   classes, metrics: segmentationMetrics({ classes: 3, loss }), metric: 'softDice',
 * });
 * prefetch(run.plans(train), load, { ahead: 2 }).pipe(concatLease((batch$) => batch$.pipe(trainStep(run))), asRun(run));
 */
export class Run<
  In extends Tensors = Tensor,
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
  S extends Scores = Scores,
> implements RunState
{
  readonly name: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly classes: readonly string[];
  readonly metric: MetricName<S>;
  readonly store: CheckpointStore | undefined;
  readonly logs: string | undefined;
  readonly plots: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly splits: Splits<Item> | undefined;
  /** The weights, their optimiser and their average. */
  readonly training: Training<In, Out, Target>;
  /** Makes the metrics of a split. */
  readonly metrics: () => Metrics<Out, Target, S>;
  /** Sums over the current epoch. */
  readonly sums: EpochSums = { loss: 0, images: 0, seconds: 0, skipped: 0 };
  /** State of the run's observers. */
  readonly memory: Memory = {};
  #earlier: readonly Event[] = [];
  #batches = 0;
  /** The event that the schedule heard last. */
  #heard: Event | undefined;
  /** Steps made by this process. */
  #steps = 0;
  readonly #waits = new DataWaits();

  constructor(options: RunOptions<In, Out, Target, S>) {
    const { name = 'run', epochs, batchSize, classes, config = {} } = options;
    this.name = name;
    this.epochs = epochs;
    this.batchSize = batchSize;
    this.classes = classes;
    this.metric = options.metric ?? ('loss' as MetricName<S>);
    this.metrics = options.metrics ?? (lossMetrics(options.loss) as () => Metrics<Out, Target, S>);
    this.config = config;
    this.store = options.store;
    this.logs = options.logs;
    this.plots = options.plots;
    this.splits = options.splits;
    this.training = new Training(options);
  }

  /** The model in training. */
  get model(): Model<In, Out> {
    return this.training.model;
  }

  /** The seed of the plans and of dropout. */
  get seed(): number {
    return this.training.seed;
  }

  /** Batches consumed since the run began. */
  get position(): number {
    return this.training.position;
  }

  /** Batches in an epoch; 0 before `plans` was called. */
  get batches(): number {
    return this.#batches;
  }

  /** The epoch that the last consumed batch belongs to, from 1; 0 before the first. */
  get epoch(): number {
    return this.#batches === 0 ? 0 : Math.ceil(this.position / this.#batches);
  }

  /** The events of this run before it was resumed. */
  get earlier(): readonly Event[] {
    return this.#earlier;
  }

  /** The checkpoints. @throws UserError where the run keeps none. */
  get checkpoints(): CheckpointStore {
    if (this.store) return this.store;
    throw new UserError(
      `${this.name}: expected a run with a checkpoint store, got one without; give { store: checkpointStore(dir) }`,
    );
  }

  /**
   * The plans to train on, batch by batch, from the run's position at the time they are pulled.
   *
   * @param order the order of each epoch, such as `interleave` and `balance` make; default: a shuffle of all
   * @throws UserError for a batch size or a count of epochs that is none.
   */
  plans<I extends Item>(items: Sequence<I>, order?: Order): Iterable<BatchPlan<I>> {
    const { epochs, batchSize, seed } = this;
    const plans = (from: number) => batchPlans(items, { epochs, batchSize, seed, from, shuffle: order });
    plans(0);
    this.#batches = batchesPerEpoch(items.length, batchSize);
    return { [Symbol.iterator]: () => plans(this.position)[Symbol.iterator]() };
  }

  /**
   * Resumes the run (`resume`: its last checkpoint, its events), or starts it anew in place of an earlier one
   * (`overwrite`). A run that was killed before its first checkpoint starts again.
   *
   * @throws UserError where there is an earlier run and neither is asked for; for a checkpoint that is damaged, of another
   * model, or of a run that began with other settings: its steps so far would not be this run's. `epochs` may change; so
   * may what computes, but then not bit for bit.
   * @example
   * await run.open({ resume: true });
   */
  async open({ resume = false, overwrite = false } = {}): Promise<void> {
    const store = this.checkpoints;
    if (!resume && !overwrite) await refuseEarlier(store.dir, this.logs);
    if (!resume) await store.clear();
    if ((await store.last()) === undefined) return;
    const checkpoint = await store.load();
    refuseChanged(checkpoint.path, changedSettings(checkpoint, this.config));
    restore(this, checkpoint);
    if (this.logs === undefined) return;
    const { path, info } = checkpoint;
    const [step, best] = [info.position, (await store.best()) === path];
    const event = { type: 'checkpoint', time: Date.now(), path, step, epoch: info.epoch, best } as const;
    this.#earlier = await earlierEvents(this.logs, step, event);
  }

  /**
   * Trains on one batch: its `StepEvent`, and an `EpochEvent` after the last batch of an epoch. A schedule that follows
   * scores (`plateau`) and has heard none in a whole epoch is said once, in a `WarningEvent`; so is, of code `data-wait`,
   * that the training waits for data for more than a tenth of an epoch.
   *
   * @throws UserError where the batch is not the run's next one, and one that names `--batch-size` where memory is out.
   */
  async step(batch: Batch<In, Target>): Promise<(StepEvent | EpochEvent | WarningEvent)[]> {
    const started = performance.now();
    const { epoch, batch: place, batches } = batch.plan;
    const shape = shapeOf(batch.inputs);
    const images = shape[0]!;
    const result = await this.training.step(batch).catch((error: unknown) => {
      throw memoryHint(error, shape);
    });
    this.#steps++;
    const seconds = (performance.now() - started) / 1000;
    this.sums.loss += result.loss * images;
    this.sums.images += images;
    this.sums.seconds += seconds;
    if (result.skipped) this.sums.skipped++;
    const data = this.#waits.add(batch);
    const step = stepEvent(batch.plan, this.position, result, { images, seconds, data });
    return [...this.#unheard(batches), step, ...(place < batches - 1 ? [] : this.#endEpoch(epoch))];
  }

  /** Passes an event to a schedule that follows scores (`plateau`). The same event twice counts once. */
  observe(event: Event): void {
    if (event === this.#heard) return;
    this.#heard = event;
    this.training.schedule.observe?.(event);
  }

  /**
   * Saves a checkpoint of the run in its current state. Weights that are not finite are not saved, so that the last
   * checkpoint stays a good one: a `WarningEvent` of code `not-saved` says so.
   */
  async save(epoch: number, scores?: Scores): Promise<CheckpointEvent | WarningEvent> {
    const step = this.position;
    if (!(await this.training.finite()))
      return warningEvent('not-saved', `step ${step} was not saved: some of its weights are not finite`);
    const { path, best } = await this.checkpoints.save(this, { epoch, ...(scores && { scores }) });
    return { type: 'checkpoint', time: Date.now(), path, step, epoch, best };
  }

  /**
   * Puts the run back to its last checkpoint.
   *
   * @returns the checkpoint's step; undefined where there is none, and the run stays as it is.
   */
  async restoreLast(): Promise<number | undefined> {
    if (!this.store || (await this.store.last()) === undefined) return undefined;
    restore(this, await this.store.load());
    return this.position;
  }

  /** Frees the optimiser's tensors; the model stays. */
  dispose(): void {
    this.training.dispose();
  }

  #endEpoch(epoch: number): (EpochEvent | WarningEvent)[] {
    const { data, warnings } = this.#waits.endEpoch(epoch, this.sums.seconds);
    const { sums, training } = this;
    const event = epochEvent(epoch, this.position, sums, data, training.lossScaling !== undefined);
    Object.assign(this.sums, { loss: 0, images: 0, seconds: 0, skipped: 0 });
    return [...warnings, event];
  }

  /** Warns at the first step after a whole epoch: until then a validation may still come. */
  #unheard(batches: number): WarningEvent[] {
    const follows = this.training.schedule.observe !== undefined;
    if (!follows || this.#heard !== undefined || this.#steps !== batches + 1) return [];
    const message =
      'the schedule follows a validation score but received none in a whole epoch: the learning rate does not change; put validate(run, …) after trainStep';
    return [warningEvent('schedule-unheard', message)];
  }
}
