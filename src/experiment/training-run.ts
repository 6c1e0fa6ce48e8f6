import type { Tensor } from '@tensorflow/tfjs-core';
import { concatMap, defer, finalize, identity, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { asRun } from '../../operators/as-run.js';
import { checkpoint } from '../../operators/checkpoint.js';
import { concatLease } from '../../operators/concat-lease.js';
import { drawPredictions } from '../../operators/draw-predictions.js';
import { earlyStop } from '../../operators/early-stop.js';
import { fromFork, keepFork } from '../../operators/fork.js';
import { guard } from '../../operators/guard.js';
import { logTo } from '../../operators/log-to.js';
import { prefetch } from '../../operators/prefetch.js';
import { progress } from '../../operators/progress.js';
import { testBest } from '../../operators/test-best.js';
import { trainStep } from '../../operators/train-step.js';
import { validate } from '../../operators/validate.js';
import { weightHistograms } from '../../operators/weight-histograms.js';
import type { Tensors } from '../data/batch.js';
import { batchesPerEpoch } from '../data/batch-plans.js';
import type { Item, Pair } from '../data/types.js';
import type { Event } from '../events/event.js';
import type { MetricName, Scores } from '../events/scores.js';
import { runLoggers } from '../loggers/loggers.js';
import { checkpointStore } from '../train/checkpoint-store.js';
import type { Every } from '../train/every.js';
import type { ForkPoints } from '../train/fork-points.js';
import { accumulate } from '../train/optimizers/accumulate.js';
import { type NamedOptimizerOptions, optimizers } from '../train/optimizers/optimizers.js';
import { Run } from '../train/run.js';
import { schedules } from '../train/schedules/schedules.js';
import { forkOf } from './fork-of.js';
import { layerRates, learningRates } from './learning-rates.js';
import type { OpenRun } from './open-run.js';
import { recordedSettings } from './resumed-settings.js';
import { startAdapter } from './start-adapter.js';
import type { Task } from './task.js';

/** Settings of `trainingRun`: the flags of a training recipe. */
export interface TrainingRunSettings extends NamedOptimizerOptions {
  readonly randomSeed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly mode: string;
  readonly freezeEpochs?: number | undefined;
  readonly optimizer: string;
  /** Batches per optimiser step. Default 1. */
  readonly accumulate?: number;
  readonly schedule: string;
  readonly lr: number;
  readonly separateLr: boolean;
  readonly lrVitBackbone: number;
  readonly lrSegHead: number;
  /** Layer-wise decay of the learning rate. Default 1: none. */
  readonly layerDecay?: number | undefined;
  readonly ema?: number | undefined;
  /** Factor of the loss of auxiliary heads. Default: none. */
  readonly deepSupervision?: number | undefined;
  readonly patience?: number | undefined;
  readonly metric: string;
  readonly guard: boolean;
  /** Additional loggers, by name. */
  readonly logger?: readonly string[] | undefined;
  readonly ahead: number;
  /** Settings that do not change the result and are not recorded. */
  readonly cache?: string;
  readonly cacheDir?: string;
  readonly cacheGib?: number | undefined;
  /** Samples that are drawn after each epoch. Default 4. */
  readonly pictures?: number;
  /** Whether each epoch has a `weights` event. Default false. */
  readonly histograms?: boolean;
  readonly keep?: number;
  readonly checkpointEvery?: Every;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
}

/** Options of `trainingRun` beside its settings. */
export interface TrainingRunOptions<
  I extends Item = Pair,
  In extends Tensors = Tensor,
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
  S extends Scores = Scores,
> {
  readonly task: Task<I, In, Out, Target, S>;
  /** Where checkpoints, logs and plots go, by `openRun`. Without it nothing is written and nothing is tested. */
  readonly folders?: Pick<OpenRun, 'name' | 'models' | 'logs' | 'pictures'>;
  /** Where trainings that begin alike are trained once, up to where they part. Default: each by itself. */
  readonly forks?: ForkPoints | undefined;
  /** Whether to show the run's progress on standard error. Default false. */
  readonly shown?: boolean;
}

/**
 * One training run as a cold Observable of its events, shared by the train recipes, the search and the studies.
 *
 * Trains, validates after each epoch, and stops early or when the guard says so; with `folders` it also saves
 * checkpoints, resumes (`settings.resume`), tests the best checkpoint, and logs. The task's model stays the caller's.
 *
 * @throws UserError for what `Run.open` refuses.
 * @example
 * trainingRun(settings, { task }).pipe(report(trial, 'softDice'), prune(trial));
 */
export function trainingRun<
  I extends Item,
  In extends Tensors,
  Out extends Tensors,
  Target extends Tensors,
  S extends Scores,
>(settings: TrainingRunSettings, options: TrainingRunOptions<I, In, Out, Target, S>): Observable<Event<S>> {
  const { task, folders, forks, shown: progressOptions } = options;
  const { train, validation, test } = task.splits;
  const { load, inOrder } = task.trunk ?? task;
  return defer(() => beginRun(settings, options)).pipe(
    concatMap((run) => {
      const fork = forks && forkOf(run, forks);
      return prefetch(run.plans(train, task.order), load, { ahead: settings.ahead }).pipe(
        concatLease((batch$) =>
          batch$.pipe(
            trainStep(run),
            validation.length > 0 ? validate(run, inOrder(validation)) : identity,
            settings.histograms ? weightHistograms(run) : identity,
            folders ? drawn(run, settings, task) : identity,
            folders ? checkpoint(run, { every: settings.checkpointEvery }) : identity,
            fork ? keepFork(run, fork) : identity,
          ),
        ),
        settings.guard ? guard(run, { metric: task.guarded }) : identity,
        settings.patience ? earlyStop(run, { patience: settings.patience }) : identity,
        fork ? fromFork(run, fork) : identity,
        folders && test.length > 0 ? testBest(run, inOrder(test)) : identity,
        asRun(run),
        folders ? logTo(run, ...runLoggers(settings.logger)) : identity,
        progressOptions ? progress(run) : identity,
        finalize(() => run.dispose()),
      );
    }),
  );
}

/** Draws the first samples of the validation split, or where there are none of the training split, unaugmented. */
function drawn<
  I extends Item,
  In extends Tensors,
  Out extends Tensors,
  Target extends Tensors,
  S extends Scores,
>(
  run: Run<In, Out, Target, S>,
  { pictures = 4 }: TrainingRunSettings,
  task: Task<I, In, Out, Target, S>,
): MonoTypeOperatorFunction<Event<S>> {
  const { draw } = task;
  if (!draw || pictures === 0) return identity;
  const split = task.splits.validation.length > 0 ? 'validation' : 'train';
  const items = Array.from(task.splits[split].slice(0, pictures));
  return drawPredictions(run, (model, path) => draw(model, task.inOrder(items)(), path), { split });
}

/** The run of the settings, at the position that a resume restored; the caller disposes it. */
export async function beginRun<
  I extends Item,
  In extends Tensors,
  Out extends Tensors,
  Target extends Tensors,
  S extends Scores,
>(
  settings: TrainingRunSettings,
  { task, folders }: TrainingRunOptions<I, In, Out, Target, S>,
): Promise<Run<In, Out, Target, S>> {
  const { model, splits, recordedSplits = splits, classes, loss, metrics, record } = task;
  const { resume = false, overwrite = false } = settings;
  const { epochs, batchSize, metric, randomSeed: seed, mode, freezeEpochs = 0 } = settings;
  const batches = batchesPerEpoch(splits.train.length, batchSize);
  const run = new Run({
    model,
    loss,
    classes,
    metrics,
    // A name from the command line, where the catalogue of metrics has checked it.
    metric: metric as MetricName<S>,
    epochs,
    batchSize,
    seed,
    splits: recordedSplits,
    optimizer: accumulate(settings.accumulate ?? 1, optimizers.make(settings.optimizer, settings)),
    schedule: schedules.make(settings.schedule, { steps: epochs * batches, metric }),
    learningRate: learningRates(settings),
    rates: layerRates(settings, model),
    average: settings.ema,
    deepSupervision: settings.deepSupervision,
    frozenSteps: mode === 'head' ? 0 : freezeEpochs * batches,
    config: { ...recordedSettings(settings), classNames: classes, model: record },
    ...(folders && {
      name: folders.name,
      store: checkpointStore(folders.models, { keep: settings.keep }),
      logs: folders.logs,
      plots: folders.pictures,
    }),
  });
  try {
    if (folders) await run.open({ resume, overwrite });
    await startAdapter(run, task);
    return run;
  } catch (error) {
    run.dispose();
    throw error;
  }
}
