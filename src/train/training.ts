import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import { add, dispose, mul, stack, sum, tidy, zerosLike } from '../base/tfjs-core.js';
import type { Batch, Tensors } from '../data/batch.js';
import { valueAndGradients } from '../engine/value-and-gradients.js';
import type { Model } from '../model/model.js';
import type { Parameter } from '../model/parameters.js';
import { randomStream } from '../random/random-stream.js';
import { globalNorm } from './optimizers/clip-by-global-norm.js';
import { pack, packRates, unpack } from './optimizers/pack.js';
import { stateTensors } from './optimizers/state-tree.js';
import type { Packs, State } from './optimizers/transform.js';
import { constant } from './schedules/constant.js';
import type { Schedule } from './schedules/schedule.js';
import { baseRate, checkTraining, type TrainingOptions } from './training-options.js';
import { averagedModel, putAverage, updatedAverage } from './weight-average.js';

/** The result of one step. */
export interface StepResult {
  readonly loss: number;
  /** L2 norm of all gradients before clipping. */
  readonly gradientNorm: number;
  /** By parameter group; `all` where there is one rate. */
  readonly learningRate: Readonly<Record<string, number>>;
}

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

  /** The optimiser's state and the averaged weights, as one tree. */
  get state(): State {
    return { optimizer: this.#optimizer, average: this.#average };
  }

  /** Replaces the state by a tree of the same shape, and frees the old tensors. */
  set state(state: State) {
    dispose([...stateTensors(this.state).values()]);
    this.#optimizer = state.optimizer as State;
    this.#average = state.average as Packs;
  }

  /**
   * Trains on one batch: forward, gradients, update. The batch is read before the promise is returned, so it may be
   * freed while the promise is pending.
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
    const before = [...stateTensors(this.state).values()];
    const result = tidy(() => this.#compute(batch, parameters, learningRate));
    parameters.forEach(({ name }, i) => {
      const value = result.values[i];
      if (value) this.model.parameters.set(name, value);
    });
    this.#optimizer = result.state;
    this.#average = result.average;
    const current = new Set(stateTensors(this.state).values());
    for (const tensor of before) if (!current.has(tensor)) tensor.dispose();
    this.position++;
    return this.#report(result.report, learningRate);
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

  #compute(
    batch: Batch<In, Target>,
    parameters: readonly Parameter[],
    learningRate: Readonly<Record<string, number>>,
  ) {
    const random = randomStream(this.seed, 'dropout', this.position);
    const xs = parameters.map(({ value }) => value);
    const { value: loss, gradients: byParameter } = valueAndGradients(() => {
      const value = this.#options.loss(this.model.forward(batch.inputs, { random }), batch.targets);
      if (value.rank === 0) return value;
      throw new UserError(`loss: expected a scalar, got [${value.shape}]; return its mean`);
    }, xs);
    const gradients = pack(
      parameters,
      byParameter.map((gradient, i) => gradient ?? zerosLike(xs[i]!)),
    );
    const weights = pack(parameters, xs);
    const { updates, state } = this.#options.optimizer.update(gradients, this.#optimizer, {
      parameters: weights,
      learningRate: Object.fromEntries(
        Object.keys(weights).map((group) => [group, learningRate[group] ?? learningRate.all!]),
      ),
    });
    const rates = packRates(parameters, this.#options.rates);
    const newWeights = Object.fromEntries(
      Object.entries(updates).map(([group, update]) => [
        group,
        add(weights[group]!, rates[group] ? mul(rates[group], update) : update),
      ]),
    );
    return {
      report: stack([loss, globalNorm(gradients)]),
      values: unpack(parameters, newWeights),
      state,
      average: updatedAverage(this.#average, newWeights, this.#options.average ?? 0),
    };
  }

  async #report(report: Tensor, learningRate: Readonly<Record<string, number>>): Promise<StepResult> {
    try {
      const [loss, gradientNorm] = await report.data();
      return { loss: loss!, gradientNorm: gradientNorm!, learningRate };
    } finally {
      report.dispose();
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

/** The same as `new Training(options)`. */
export function training<In extends Tensors, Out extends Tensors, Target extends Tensors>(
  options: TrainingOptions<In, Out, Target>,
): Training<In, Out, Target> {
  return new Training(options);
}
