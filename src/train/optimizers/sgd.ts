import { clipped, type OptimizerOptions } from './adam.js';
import { addDecayedWeights } from './add-decayed-weights.js';
import { chain } from './chain.js';
import { scaleByLearningRate } from './scale-by-learning-rate.js';
import { trace } from './trace.js';
import type { Optimizer } from './transform.js';

/** Options of `sgd`. */
export interface SgdOptions extends OptimizerOptions {
  /** μ; default 0, none. */
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/** Stochastic gradient descent with coupled weight decay and momentum, as torch's `SGD` with dampening 0. */
export function sgd({ weightDecay = 0, clip, momentum = 0, nesterov = false }: SgdOptions = {}): Optimizer {
  return chain(
    ...clipped(clip),
    addDecayedWeights(weightDecay),
    ...(momentum === 0 ? [] : [trace({ momentum, nesterov })]),
    scaleByLearningRate(),
  );
}
