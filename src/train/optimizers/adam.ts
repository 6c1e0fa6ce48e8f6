import { addDecayedWeights } from './add-decayed-weights.js';
import { chain } from './chain.js';
import { clipByGlobalNorm } from './clip-by-global-norm.js';
import { type AdamOptions, scaleByAdam } from './scale-by-adam.js';
import { scaleByLearningRate } from './scale-by-learning-rate.js';
import type { GradientTransform, Optimizer } from './transform.js';

/** Options of every optimiser. */
export interface OptimizerOptions {
  /** λ. */
  readonly weightDecay?: number;
  /** Largest global norm of the gradients. Default: not clipped. */
  readonly clip?: number;
}

/**
 * AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101, alg. 2): weights lose rate·λ of themselves apart from the
 * gradient. Defaults are torch's, `weightDecay` 0.01 among them.
 */
export function adamW({ weightDecay = 0.01, clip, ...adam }: OptimizerOptions & AdamOptions = {}): Optimizer {
  return chain(...clipped(clip), scaleByAdam(adam), addDecayedWeights(weightDecay), scaleByLearningRate());
}

/** Adam with L2 regularisation coupled into the gradient, as torch's `Adam`. `weightDecay` defaults to 0. */
export function adam({ weightDecay = 0, clip, ...options }: OptimizerOptions & AdamOptions = {}): Optimizer {
  return chain(...clipped(clip), addDecayedWeights(weightDecay), scaleByAdam(options), scaleByLearningRate());
}

/** The link that clips, or none. */
export function clipped(clip: number | undefined): GradientTransform[] {
  return clip === undefined ? [] : [clipByGlobalNorm(clip)];
}
