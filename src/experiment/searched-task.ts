import type { Tensor } from '@tensorflow/tfjs-core';
import { defer, finalize, type Observable } from 'rxjs';
import type { z } from 'zod';
import { UserError } from '../base/errors.js';
import type { Tensors } from '../data/batch.js';
import type { Item, Splits } from '../data/types.js';
import type { Event } from '../events/event.js';
import type { Scores } from '../events/scores.js';
import type { AdaptableVit } from '../model/vit/adaptable-vit.js';
import type { ForkPoints } from '../train/fork-points.js';
import type { Task } from './task.js';
import { type TrainingRunSettings, trainingRun } from './training-run.js';

/** A task that `hyperparam-optim --task` can search over: its flags, its scores, and how its trials train. */
export interface SearchedTask {
  readonly flags: Readonly<Record<'Data' | 'Model' | 'Training', z.ZodRawShape>>;
  /** The scores that a search can optimise. */
  readonly metrics: readonly [string, ...string[]];
  /** The score that it optimises by default. */
  readonly metric: string;
  /** A line about each score. */
  readonly texts: Readonly<Record<string, string>>;
  /** The beginning of the default study name; that of the task's run names. */
  readonly prefix: string;
  /** The flags that say where the data comes from; none of them: the embedded pictures. */
  readonly sources: readonly string[];
  /** Reads the data and the backbone. The settings are those of `flags`. */
  open(settings: SearchSettings): Promise<OpenTask>;
}

/** Settings of a search that any task reads; each task's flags add its own. */
export interface SearchSettings {
  readonly optimizeFor: string;
}

/** A task whose data, backbone and cache are in memory, shared by all trials. */
export interface OpenTask {
  /** The width of the backbone's tokens, which sizes of adapters must fit. */
  readonly hiddenSize: number;
  /**
   * One training. The settings are those of the search, but for what a trial varies; with `forks`, what it has in common
   * with an earlier one is not trained again.
   */
  train(settings: TrainingRunSettings, forks?: ForkPoints): Observable<Event>;
  /** Frees the backbone. */
  dispose(): void;
}

/**
 * Trains each trial on a sibling of one backbone: `task` makes the sibling, and the task around it. The sibling is freed at
 * the end of its training, the backbone by `dispose`.
 */
export function trialsOn<
  I extends Item,
  Out extends Tensor,
  Target extends Tensors,
  S extends Scores,
  Settings extends TrainingRunSettings,
>(backbone: AdaptableVit, task: (settings: Settings) => Task<I, Tensor, Out, Target, S>): OpenTask {
  return {
    hiddenSize: backbone.config.hidden_size,
    train: (settings, forks) =>
      defer(() => {
        const sibling = task(settings as Settings);
        return trainingRun(settings, { task: sibling, forks }).pipe(finalize(() => sibling.model.dispose()));
      }),
    dispose: () => backbone.dispose(),
  };
}

/** Splits that a search can use. @throws UserError without a picture to validate on. */
export function validated<I extends Item>(splits: Splits<I>): Splits<I> {
  if (splits.validation.length > 0) return splits;
  throw new UserError('--data-percentage: no picture to validate on; raise it');
}
