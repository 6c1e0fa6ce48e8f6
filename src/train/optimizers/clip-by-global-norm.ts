import type { Scalar } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { add, div, minimum, mul, scalar, sqrt, square, sum, tidy } from '../../base/tfjs-core.js';
import { type GradientTransform, mapPacks, type Packs, stateless } from './transform.js';

/** The L2 norm of all packs together. */
export function globalNorm(packs: Packs): Scalar {
  return tidy(() =>
    sqrt(Object.values(packs).reduce<Scalar>((total, g) => add(total, sum(square(g))), scalar(0))),
  );
}

/**
 * Scales all gradients by min(1, max/(norm + 1e-6)), with the norm over all of them together (Pascanu et al. 2013,
 * arXiv:1211.5063; the ε of torch's `clip_grad_norm_`).
 */
export function clipByGlobalNorm(max: number): GradientTransform {
  if (!(max > 0)) throw new UserError(`clip: expected a norm above 0, got ${max}`, { max });
  return stateless((updates) => {
    const factor = tidy(() => minimum(1, div(max, add(globalNorm(updates), 1e-6))));
    return mapPacks(updates, (u) => mul(u, factor));
  });
}
