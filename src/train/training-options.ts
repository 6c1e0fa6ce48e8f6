import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import type { Tensors } from '../data/batch.js';
import type { Loss } from '../model/loss.js';
import type { Model } from '../model/model.js';
import type { Parameter, ParameterGroup } from '../model/parameters.js';
import type { LossScaling } from './loss-scale.js';
import type { Optimizer } from './optimizers/transform.js';
import type { Schedule } from './schedules/schedule.js';

/** Options of `Training`. */
export interface TrainingOptions<
  In extends Tensors = Tensor,
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
> {
  readonly model: Model<In, Out>;
  /** The function to minimise. */
  readonly loss: Loss<Out, Target>;
  /** Turns gradients into updates. */
  readonly optimizer: Optimizer;
  /** The base rate: one for all parameters, or one for each group that trains (`separate_lr`). */
  readonly learningRate: number | Partial<Readonly<Record<ParameterGroup, number>>>;
  /** The rate of a parameter as a multiple of its group's, such as `layerDecay` gives. Default: 1. */
  readonly rates?: ((parameter: Parameter) => number) | undefined;
  /**
   * Deep supervision: the factor of the mean loss of the model's auxiliary heads, which is added to the loss, such as 0.4.
   * Default: these heads are left out.
   */
  readonly deepSupervision?: number | undefined;
  /** Default: constant. */
  readonly schedule?: Schedule;
  /** Seeds dropout; shuffling and augmentation are seeded by the plans. */
  readonly seed: number;
  /** The number of first steps that train only the head; the other parameters are frozen until then. Default 0. */
  readonly frozenSteps?: number;
  /** Decay of a moving average of the weights, e.g. 0.999. Default: no average is kept. See `Training.scored`. */
  readonly average?: number;
  /**
   * Multiplies the loss by a dynamic scale and divides its gradients by it. Default: torch.amp.GradScaler's numbers on an
   * engine in f16, else no scale.
   */
  readonly lossScale?: LossScaling;
}

/** @throws UserError when the options do not fit the parameters that train. */
export function checkTraining(
  { learningRate, frozenSteps = 0 }: Pick<TrainingOptions, 'learningRate' | 'frozenSteps'>,
  trainable: readonly Parameter[],
): void {
  if (trainable.length === 0)
    throw new UserError('expected a model with parameters to train, got one where all are frozen');
  for (const { group } of trainable) baseRate(learningRate, group);
  if (!Number.isInteger(frozenSteps) || frozenSteps < 0)
    throw new UserError(`frozenSteps: expected an integer from 0 up, got ${frozenSteps}`, { frozenSteps });
  if (frozenSteps > 0 && !trainable.some(({ group }) => group === 'head'))
    throw new UserError('frozenSteps: expected a model with a head to train, got one without');
}

/** The base rate of a group of parameters. @throws UserError when it is missing or negative. */
export function baseRate(learningRate: TrainingOptions['learningRate'], group: ParameterGroup): number {
  const rate = typeof learningRate === 'number' ? learningRate : learningRate[group];
  if (rate === undefined || !(rate >= 0))
    throw new UserError(`learningRate: expected a number from 0 up for the ${group}, got ${rate}`, {
      group,
    });
  return rate;
}
