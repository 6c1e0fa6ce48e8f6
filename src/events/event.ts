import type { Histogram } from '../numeric/histogram.js';
import type { Scores } from './scores.js';

/**
 * An event of a run, as plain data: one discriminated union that every logger, plot, progress bar and dashboard
 * subscribes to. `time` is milliseconds since 1970; only it and the other clock fields (`seconds`,
 * `imagesPerSecond`, `earlierSeconds`, `data`, `memory`) differ between two runs of the same recipe on the same engine.
 */
export type Event<S extends Scores = Scores> =
  | RunEvent
  | StepEvent
  | EpochEvent
  | ValidationEvent<S>
  | PictureEvent
  | WeightsEvent
  | CheckpointEvent
  | TrialEvent
  | WarningEvent
  | DoneEvent;

interface Timed {
  readonly time: number;
}

/** The first event: what runs, on what. */
export interface RunEvent extends Timed {
  readonly type: 'run';
  readonly run: string;
  readonly adapter: string;
  readonly adapterParameters: number;
  readonly headParameters: number;
  /** Where the backbone trains, too. */
  readonly backboneParameters?: number;
  readonly engine: string;
  readonly precision: string;
  readonly seed: number;
  readonly epochs: number;
  readonly batches: number;
  readonly classes: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
  /** A clock field that loggers add when they continue a run: the time that its earlier processes took. */
  readonly earlierSeconds?: number;
}

/** How data came to the training: a clock field, since it depends on the machine. Sums, in an epoch's event. */
export interface DataPace {
  /** How long the training waited for it, without the time in which a cached trunk was computed. */
  readonly waitSeconds: number;
  /** From the pull of a plan to the whole batch; several batches load at once. */
  readonly loadSeconds: number;
  /** Of the samples' decoding, several at once; looking them up in the cache included. */
  readonly decodeSeconds: number;
  /** Of augmentation, normalisation and collation. */
  readonly renderSeconds: number;
  /** Batches that were ready when one was taken, it included: the depth of the look-ahead. A mean, in an epoch's event. */
  readonly ready: number;
  /** Samples that the cache had, that were put there, and for which it had no room. */
  readonly hits: number;
  readonly kept: number;
  readonly full: number;
}

/** Memory after a step, in bytes: a clock field. */
export interface MemoryUse {
  /** Resident, of the whole process. */
  readonly process: number;
  /** Of all tensors that the engine holds. */
  readonly tensors: number;
}

/** One batch was trained on. `step` counts batches from 1 over the whole run, `epoch` from 1, `batch` from 0. */
export interface StepEvent extends Timed {
  readonly type: 'step';
  readonly step: number;
  readonly epoch: number;
  readonly batch: number;
  readonly batches: number;
  readonly loss: number;
  /** By parameter group; `all` where there is one rate. */
  readonly learningRate: Readonly<Record<string, number>>;
  /** L2 norm of all gradients before clipping. */
  readonly gradientNorm: number;
  /** In f16: what the loss was multiplied by before its gradients, which were divided by it. */
  readonly lossScale?: number;
  /** In f16: the scaled gradients were not finite, so the step changed no weight and the scale halves. */
  readonly skipped?: true;
  readonly images: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Where the batch came from `prefetch`. */
  readonly data?: DataPace;
  readonly memory?: MemoryUse;
}

/** An epoch's training ended; `loss` is the mean over its images. */
export interface EpochEvent extends Timed {
  readonly type: 'epoch';
  readonly epoch: number;
  readonly step: number;
  readonly loss: number;
  readonly images: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** In f16: the number of steps that were skipped. */
  readonly skipped?: number;
  /** Where the batches came from `prefetch`: of those that this process trained on. */
  readonly data?: DataPace;
}

/** Scores on a split, after so many steps. */
export interface ValidationEvent<S extends Scores = Scores> extends Timed {
  readonly type: 'validation';
  readonly split: string;
  readonly epoch: number;
  readonly step: number;
  readonly scores: S;
  readonly images: number;
  readonly seconds: number;
}

/** Predictions on a few samples, the same at each epoch, were drawn: input, target and prediction side by side. */
export interface PictureEvent extends Timed {
  readonly type: 'picture';
  /** What the picture shows: the split of its samples. */
  readonly name: string;
  /** The file, a JPEG, relative to the run's folder of logs, with `/`. It is whole when the event is heard. */
  readonly path: string;
  readonly step: number;
  readonly epoch: number;
}

/** How the values of the tensors that train are distributed, after an epoch. */
export interface WeightsEvent extends Timed {
  readonly type: 'weights';
  /** By the tensor's name. */
  readonly histograms: Readonly<Record<string, Histogram>>;
  readonly step: number;
  readonly epoch: number;
}

/** A checkpoint was written whole; `path` is its folder. */
export interface CheckpointEvent extends Timed {
  readonly type: 'checkpoint';
  readonly path: string;
  readonly step: number;
  readonly epoch: number;
  readonly best: boolean;
}

/** A study's trial changed: it started, reported an intermediate value, or ended. */
export interface TrialEvent extends Timed {
  readonly type: 'trial';
  readonly study: string;
  readonly number: number;
  readonly state: 'RUNNING' | 'COMPLETE' | 'PRUNED' | 'FAIL';
  readonly params: Readonly<Record<string, unknown>>;
  readonly step?: number;
  readonly value?: number;
  readonly values?: readonly number[];
  readonly reason?: string;
}

/** Something that a person should know and that does not stop the run. `code` is stable, for programs. */
export interface WarningEvent extends Timed {
  readonly type: 'warning';
  readonly code: string;
  readonly message: string;
}

/** The last event of a run that was not cut short. */
export interface DoneEvent extends Timed {
  readonly type: 'done';
  readonly reason: 'finished' | 'early-stop' | 'guard';
  readonly step: number;
  readonly epoch: number;
  readonly seconds: number;
}
