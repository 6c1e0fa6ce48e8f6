import { add, dispose, mul, stack, sub, sum, type Tensor, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import type { Batch, Tensors } from '../data/batch.js';
import type { Loss } from '../model/loss.js';
import type { Model } from '../model/model.js';
import type { Parameter, ParameterGroup } from '../model/parameters.js';
import { randomStream } from '../random/random-stream.js';
import { globalNorm } from './optimizers/clip-by-global-norm.js';
import { pack, unpack } from './optimizers/pack.js';
import { stateTensors } from './optimizers/state-tree.js';
import type { Optimizer, Packs, State } from './optimizers/transform.js';
import { constant } from './schedules/constant.js';
import type { Schedule } from './schedules/schedule.js';
import { valueAndGradients } from './value-and-gradients.js';

export interface TrainingOptions<
  In extends Tensors = Tensor,
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
> {
  readonly model: Model<In, Out>;
  readonly loss: Loss<Out, Target>;
  readonly optimizer: Optimizer;
  /** The base rate: one for all, or one for each group that trains (`separate_lr`). */
  readonly learningRate: number | Partial<Readonly<Record<ParameterGroup, number>>>;
  /** Default: constant. */
  readonly schedule?: Schedule;
  /** Seeds dropout; shuffling and augmentation take their seed from the plans. */
  readonly seed: number;
  /** So many steps in the beginning train the head alone; what else trains is frozen until then. Default 0. */
  readonly frozenSteps?: number;
  /** Decay of a moving average of the weights, e.g. 0.999; default: none is kept. See `scored`. */
  readonly average?: number;
}

/** The result of one step. */
export interface StepResult {
  readonly loss: number;
  /** L2 norm of all gradients before clipping. */
  readonly gradientNorm: number;
  /** By parameter group; `all` where there is one rate. */
  readonly learningRate: Readonly<Record<string, number>>;
}

/**
 * A model that is being trained: its optimiser's state, its average, its schedule, and how many batches it has consumed.
 * The small core under `Run`, usable alone.
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
  /** Batches consumed since the run began: what `batchPlans` takes as `from`. */
  position = 0;
  #optimizer: State;
  #average: Packs;
  readonly #options: TrainingOptions<In, Out, Target>;

  constructor(options: TrainingOptions<In, Out, Target>) {
    this.#options = options;
    this.model = options.model;
    this.seed = options.seed;
    this.schedule = options.schedule ?? constant();
    const trainable = this.model.parameters.trainable();
    if (trainable.length === 0)
      throw new UserError('expected a model with parameters to train, got one where all are frozen');
    for (const { group } of trainable) this.#baseRate(group);
    const { frozenSteps = 0 } = options;
    if (!Number.isInteger(frozenSteps) || frozenSteps < 0)
      throw new UserError(`frozenSteps: expected an integer from 0 up, got ${frozenSteps}`, { frozenSteps });
    if (frozenSteps > 0 && !trainable.some(({ group }) => group === 'head'))
      throw new UserError('frozenSteps: expected a model with a head to train, got one without');
    const { state, average } = tidy(() => {
      const weights = pack(
        trainable,
        trainable.map(({ value }) => value),
      );
      return {
        state: options.optimizer.init(
          weights,
          frozenSteps > 0 ? Object.keys(weights).filter((group) => group !== 'head') : [],
        ),
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

  /** Takes over a tree of the same shape, and frees the one before. */
  set state(state: State) {
    dispose([...stateTensors(this.state).values()]);
    this.#optimizer = state.optimizer as State;
    this.#average = state.average as Packs;
  }

  /**
   * One batch: forward, gradients, update. All that reads the batch is done before the promise is returned, so the
   * batch may be freed while it is pending.
   *
   * @throws where the batch is not the next one of this run; the model is then unchanged.
   */
  async step(batch: Batch<In, Target>): Promise<StepResult> {
    const { position } = batch.plan;
    if (position !== this.position)
      throw new UserError(
        `expected the batch at position ${this.position}, got the one at ${position}; plan from there (run.plans does)`,
        { expected: this.position, got: position },
      );
    const parameters = this.#moving();
    const learningRate = this.#learningRate(parameters);
    const before = [...stateTensors(this.state).values()];
    const result = tidy(() => this.#compute(batch, parameters, learningRate));
    parameters.forEach(({ name }, i) => {
      const value = result.values[i];
      if (value) this.model.parameters.set(name, value);
    });
    this.#optimizer = result.state;
    this.#average = result.average;
    const kept = new Set(stateTensors(this.state).values());
    for (const tensor of before) if (!kept.has(tensor)) tensor.dispose();
    this.position++;
    return this.#report(result.report, learningRate);
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

  /** What is to be scored: the model with the averaged weights in place, or itself where no average is kept. */
  get scored(): Model<In, Out> {
    const { model } = this;
    if (Object.keys(this.#average).length === 0) return model;
    const forward: Model<In, Out>['forward'] = (inputs, pass) => {
      const putBack = this.#putAverage();
      try {
        return model.forward(inputs, pass);
      } finally {
        putBack();
      }
    };
    return { parameters: model.parameters, forward, dispose: () => model.dispose() };
  }

  /**
   * Runs `work` with the averaged weights in the model's place, then puts the trained ones back.
   *
   * @throws UserError where no average is kept.
   */
  async withAverage<R>(work: () => Promise<R>): Promise<R> {
    if (Object.keys(this.#average).length === 0)
      throw new UserError(
        'expected a run with `average`, got one that keeps no moving average of its weights',
      );
    const putBack = this.#putAverage();
    try {
      return await work();
    } finally {
      putBack();
    }
  }

  /** Puts the averaged weights in the place of the trained ones; what it returns puts those back. */
  #putAverage(): () => void {
    const parameters = this.model.parameters.trainable();
    const averaged = unpack(parameters, this.#average);
    const trained = parameters.map((parameter) => parameter.value);
    parameters.forEach((parameter, i) => {
      parameter.value = averaged[i]!;
    });
    return () => {
      parameters.forEach((parameter, i) => {
        parameter.value = trained[i]!;
      });
      dispose(averaged as Tensor[]);
    };
  }

  dispose(): void {
    dispose([...stateTensors(this.state).values()]);
    this.#optimizer = {};
    this.#average = {};
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
    const moved = Object.fromEntries(
      Object.entries(updates).map(([group, update]) => [group, add(weights[group]!, update)]),
    );
    const decay = this.#options.average ?? 0;
    const average = Object.fromEntries(
      Object.entries(this.#average).map(([group, mean]) => [
        group,
        moved[group] ? add(mean, mul(1 - decay, sub(moved[group], mean))) : mean,
      ]),
    );
    return {
      report: stack([loss, globalNorm(gradients)]),
      values: unpack(parameters, moved),
      state,
      average,
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

  /** What the next step moves. */
  #moving(): Parameter[] {
    const all = this.model.parameters.trainable();
    const frozen = this.position < (this.#options.frozenSteps ?? 0);
    return frozen ? all.filter(({ group }) => group === 'head') : all;
  }

  #learningRate(parameters: readonly Parameter[]): Record<string, number> {
    const factor = this.schedule(this.position);
    if (typeof this.#options.learningRate === 'number') return { all: factor * this.#options.learningRate };
    const groups = new Set(parameters.map(({ group }) => group));
    return Object.fromEntries([...groups].map((group) => [group, factor * this.#baseRate(group)]));
  }

  #baseRate(group: ParameterGroup): number {
    const { learningRate } = this.#options;
    const rate = typeof learningRate === 'number' ? learningRate : learningRate[group];
    if (rate === undefined || !(rate >= 0))
      throw new UserError(`learningRate: expected a number from 0 up for the ${group}, got ${rate}`, {
        group,
      });
    return rate;
  }
}

/** The same as `new Training(options)`. */
export function training<In extends Tensors, Out extends Tensors, Target extends Tensors>(
  options: TrainingOptions<In, Out, Target>,
): Training<In, Out, Target> {
  return new Training(options);
}
