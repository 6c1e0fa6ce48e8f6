import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import { add, dispose, mul, sum, tidy } from '../base/tfjs-core.js';
import type { Batch, Tensors } from '../data/batch.js';
import type { Model } from '../model/model.js';
import type { Parameter } from '../model/parameters.js';
import { computeUpdate, type Update } from './compute-update.js';
import { type LossScale, type LossScaling, lossScalingOf, nextLossScale } from './loss-scale.js';
import { pack } from './optimizers/pack.js';
import { stateTensors } from './optimizers/state-tree.js';
import type { Packs, State } from './optimizers/transform.js';
import { constant } from './schedules/constant.js';
import type { Schedule } from './schedules/schedule.js';
import { reported, type StepResult } from './step-result.js';
import { baseRate, checkTraining, type TrainingOptions } from './training-options.js';
import { averagedModel, putAverage } from './weight-average.js';

/**
 * A model in training: the state of its optimiser, its average, its schedule, and the number of batches consumed. The
 * small core under `Run`, usable alone.
 *
 * Owns the optimiser's tensors (`dispose` frees them); the model stays its maker's.
 *
 * @example
 * const training = new Training({ model, loss: logCoshDice(), optimizer: adamW(), learningRate: 1e-3, seed: 42 });
 * const { loss } = await training.step(await lastValueFrom(load(plan)));
 */
export class Training<
  In extends Tensors = Tensor,
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
> {
  readonly model: Model<In, Out>;
  readonly seed: number;
  readonly schedule: Schedule;
  /** Batches consumed since the run began: the `from` of `batchPlans`. */
  position = 0;
  /** How the loss is scaled, in f16. */
  readonly lossScaling: Required<LossScaling> | undefined;
  #scale: LossScale | undefined;
  #optimizer: State;
  #disposed = false;
  #average: Packs;
  readonly #options: TrainingOptions<In, Out, Target>;

  constructor(options: TrainingOptions<In, Out, Target>) {
    this.#options = options;
    this.model = options.model;
    this.seed = options.seed;
    this.schedule = options.schedule ?? constant();
    const trainable = this.model.parameters.trainable();
    checkTraining(options, trainable);
    this.lossScaling = lossScalingOf(options.lossScale);
    this.#scale = this.lossScaling && { scale: this.lossScaling.initial, good: 0 };
    const { frozenSteps = 0 } = options;
    const { state, average } = tidy(() => {
      const weights = pack(
        trainable,
        trainable.map(({ value }) => value),
      );
      const frozen = frozenSteps > 0 ? Object.keys(weights).filter((group) => group !== 'head') : [];
      return {
        state: options.optimizer.init(weights, frozen),
        average: options.average === undefined ? {} : weights,
      };
    });
    this.#optimizer = state;
    this.#average = average;
  }

  /** The optimiser's state, the averaged weights, and in f16 the loss scale, as one tree. */
  get state(): State {
    return {
      optimizer: this.#optimizer,
      average: this.#average,
      ...(this.#scale && { lossScale: this.#scale }),
    };
  }

  /** Replaces the state by a tree of the same shape, and frees the old tensors. */
  set state(state: State) {
    dispose([...stateTensors(this.state).values()]);
    this.#optimizer = state.optimizer as State;
    this.#average = state.average as Packs;
    this.#scale = state.lossScale as LossScale | undefined;
  }

  /**
   * Trains on one batch: forward, gradients, update. The batch is read before the promise is returned, so it may be
   * freed while the promise is pending. In f16 the loss is scaled, and a step whose gradients are then not finite changes
   * the scale alone; the next step must wait for this one.
   *
   * @throws UserError if the batch is not the next one of this run; the model is then unchanged.
   */
  async step(batch: Batch<In, Target>): Promise<StepResult> {
    const { position } = batch.plan;
    if (position !== this.position)
      throw new UserError(
        `expected the batch at position ${this.position}, got the one at ${position}; plan from there (run.plans does)`,
        { expected: this.position, got: position },
      );
    const parameters = this.#moving(position);
    const learningRate = this.#learningRate(position, parameters);
    const update = computeUpdate(this.model, batch, parameters, this.#options, {
      position,
      learningRate,
      optimizer: this.#optimizer,
      average: this.#average,
      scale: this.#scale?.scale,
    });
    if (this.#scale) return this.#takeIfFinite(parameters, update, this.#scale, learningRate);
    this.#take(parameters, update);
    return reported(update.report, learningRate);
  }

  /**
   * The learning rates of a step, by the parameter groups that it moves; those of a step to come are a forecast where the
   * schedule follows scores.
   */
  rates(step: number): Readonly<Record<string, number>> {
    const parameters = this.#moving(step);
    const rates = this.#learningRate(step, parameters);
    return Object.fromEntries(parameters.map(({ group }) => [group, rates[group] ?? rates.all!]));
  }

  /** Whether every weight that trains is a finite number. */
  async finite(): Promise<boolean> {
    const zero = tidy(() => {
      const zeros = this.model.parameters.trainable().map(({ value }) => sum(mul(value, 0)));
      return zeros.reduce((total, each) => add(total, each));
    });
    const [value] = await zero.data();
    zero.dispose();
    return value === 0;
  }

  /** The model to score: with the averaged weights, or as it is if no average is kept. */
  get scored(): Model<In, Out> {
    return this.#hasAverage ? averagedModel(this.model, () => this.#average) : this.model;
  }

  /**
   * Runs `work` while the model has the averaged weights, then puts the trained ones back.
   *
   * @throws UserError if no average is kept.
   */
  async withAverage<R>(work: () => Promise<R>): Promise<R> {
    if (!this.#hasAverage)
      throw new UserError(
        'expected a run with `average`, got one that keeps no moving average of its weights',
      );
    const putBack = putAverage(this.model.parameters, this.#average);
    try {
      return await work();
    } finally {
      putBack();
    }
  }

  get #hasAverage(): boolean {
    return Object.keys(this.#average).length > 0;
  }

  /** Frees the optimiser's state and the average; the model stays. */
  dispose(): void {
    dispose([...stateTensors(this.state).values()]);
    this.#optimizer = {};
    this.#average = {};
    this.#disposed = true;
  }

  /** Whether `dispose` was called: there is no state any more. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** Makes an update the state of this training. */
  #take(parameters: readonly Parameter[], update: Update): void {
    const before = stateTensors(this.state).values();
    parameters.forEach(({ name }, i) => {
      const value = update.values[i];
      if (value) this.model.parameters.set(name, value);
    });
    this.#optimizer = update.optimizer;
    this.#average = update.average;
    disposeOthers(before, this.state);
    this.position++;
  }

  /** The same where all gradients are finite; else all stays but the scale. */
  async #takeIfFinite(
    parameters: readonly Parameter[],
    update: Update,
    scale: LossScale,
    learningRate: StepResult['learningRate'],
  ): Promise<StepResult> {
    const { optimizer, average, values } = update;
    let taken = false;
    try {
      const result = await reported(update.report, learningRate);
      const finite = Number.isFinite(result.gradientNorm);
      this.#scale = nextLossScale(scale, finite, this.lossScaling!.growthInterval);
      taken = finite && !this.#disposed;
      if (taken) this.#take(parameters, update);
      else this.position++;
      return { ...result, lossScale: scale.scale, ...(!finite && { skipped: true }) };
    } finally {
      if (!taken) {
        dispose(values as Tensor[]);
        disposeOthers(stateTensors({ optimizer, average }).values(), this.state);
      }
    }
  }

  /** The parameters that a step moves. */
  #moving(step: number): Parameter[] {
    const all = this.model.parameters.trainable();
    const frozen = step < (this.#options.frozenSteps ?? 0);
    return frozen ? all.filter(({ group }) => group === 'head') : all;
  }

  #learningRate(step: number, parameters: readonly Parameter[]): Record<string, number> {
    const factor = this.schedule(step);
    const { learningRate } = this.#options;
    if (typeof learningRate === 'number') return { all: factor * learningRate };
    const groups = new Set(parameters.map(({ group }) => group));
    return Object.fromEntries([...groups].map((group) => [group, factor * baseRate(learningRate, group)]));
  }
}

/** Frees tensors that a state does not hold. */
function disposeOthers(tensors: Iterable<Tensor>, state: State): void {
  const held = new Set(stateTensors(state).values());
  for (const tensor of tensors) if (!held.has(tensor)) tensor.dispose();
}

/** The same as `new Training(options)`. */
export function training<In extends Tensors, Out extends Tensors, Target extends Tensors>(
  options: TrainingOptions<In, Out, Target>,
): Training<In, Out, Target> {
  return new Training(options);
}
