import { add, mul, tidy } from '../../base/tfjs-core.js';
import { type GradientTransform, mapPacks, stateless } from './transform.js';

/**
 * update + λ·weights: before `scaleByAdam` it is L2 regularisation coupled into the gradient; after it, the decoupled
 * weight decay of AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101).
 */
export function addDecayedWeights(decay: number): GradientTransform {
  return stateless((updates, { parameters }) =>
    decay === 0 ? updates : mapPacks(updates, (u, pack) => tidy(() => add(u, mul(decay, parameters[pack]!)))),
  );
}
