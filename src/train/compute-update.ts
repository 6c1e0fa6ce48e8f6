import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import { add, cast, div, mul, stack, tidy, zerosLike } from '../base/tfjs-core.js';
import type { Batch, Tensors } from '../data/batch.js';
import { valueAndGradients } from '../engine/value-and-gradients.js';
import type { Extras } from '../model/loss.js';
import type { Model, Pass } from '../model/model.js';
import type { Parameter } from '../model/parameters.js';
import { randomStream } from '../random/random-stream.js';
import { globalNorm } from './optimizers/clip-by-global-norm.js';
import { pack, packRates, unpack } from './optimizers/pack.js';
import { mapPacks, type Packs, type State } from './optimizers/transform.js';
import type { TrainingOptions } from './training-options.js';
import { updatedAverage } from './weight-average.js';

/** Where a training stands before a step. */
interface Before {
  readonly position: number;
  readonly learningRate: Readonly<Record<string, number>>;
  readonly optimizer: State;
  readonly average: Packs;
  /** What the loss is multiplied by before its gradients, and these divided by. */
  readonly scale: number | undefined;
}

/** What a step computes. */
export type Update = {
  /** The loss and the norm of the gradients, without the scale. */
  readonly report: Tensor;
  /** The new weights in the order of the parameters; undefined for one that does not move. */
  readonly values: (Tensor | undefined)[];
  readonly optimizer: State;
  readonly average: Packs;
};

/** The update of one batch: forward, gradients, optimiser, average. The caller frees what it does not keep. */
export function computeUpdate<In extends Tensors, Out extends Tensors, Target extends Tensors>(
  model: Model<In, Out>,
  batch: Batch<In, Target>,
  parameters: readonly Parameter[],
  options: TrainingOptions<In, Out, Target>,
  before: Before,
): Update {
  const { learningRate, scale } = before;
  return tidy((): Update => {
    const random = randomStream(options.seed, 'dropout', before.position);
    const xs = parameters.map(({ value }) => value);
    const { value, gradients: byParameter } = valueAndGradients(() => {
      const loss = supervisedLoss(model, batch, options, { random });
      if (loss.rank === 0) return scale === undefined ? loss : mul(loss, scale);
      throw new UserError(`loss: expected a scalar, got [${loss.shape}]; return its mean`);
    }, xs);
    const scaled = pack(
      parameters,
      byParameter.map((gradient, i) => gradient ?? zerosLike(xs[i]!)),
    );
    // In f32 before they are divided: f16 has no place for what is small.
    const unscaled = (x: Tensor) => (scale === undefined ? x : div(cast(x, 'float32'), scale));
    const gradients = mapPacks(scaled, unscaled);
    const weights = pack(parameters, xs);
    const { updates, state } = options.optimizer.update(gradients, before.optimizer, {
      parameters: weights,
      learningRate: Object.fromEntries(
        Object.keys(weights).map((group) => [group, learningRate[group] ?? learningRate.all!]),
      ),
    });
    const rates = packRates(parameters, options.rates);
    const newWeights = Object.fromEntries(
      Object.entries(updates).map(([group, change]) => [
        group,
        add(weights[group]!, rates[group] ? mul(rates[group], change) : change),
      ]),
    );
    return {
      report: stack([unscaled(value), globalNorm(gradients)]),
      values: unpack(parameters, newWeights),
      optimizer: state,
      average: updatedAverage(before.average, newWeights, options.average ?? 0),
    };
  });
}

/** The loss of a model's outputs, and of those of its auxiliary heads where training asks for them. */
function supervisedLoss<In extends Tensors, Out extends Tensors, Target extends Tensors>(
  model: Model<In, Out>,
  { inputs, targets }: Batch<In, Target>,
  { loss, deepSupervision: factor }: TrainingOptions<In, Out, Target>,
  pass: Pass<Out>,
): Scalar {
  const others: Out[] = [];
  let extras: Extras | undefined;
  const outputs = model.forward(inputs, {
    ...pass,
    ...(factor !== undefined && { auxiliary: (outputs: Out) => others.push(outputs) }),
    extras: (given) => {
      extras = given;
    },
  });
  const main = loss(outputs, targets, extras);
  if (factor === undefined) return main;
  if (others.length === 0)
    throw new UserError(
      'deepSupervision: expected a model with auxiliary heads, got one without; load it with `auxiliary: true`',
    );
  const sum = others.map((outputs) => loss(outputs, targets)).reduce((a, b) => add(a, b));
  return add(main, mul(factor / others.length, sum));
}
