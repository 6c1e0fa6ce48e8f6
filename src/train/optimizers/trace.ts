import type { Tensor } from '@tensorflow/tfjs-core';
import { add, mul, tidy, zerosLike } from '../../base/tfjs-core.js';
import { type GradientTransform, mapPacks } from './transform.js';

/**
 * Momentum: b ← μb + g, update = b, or g + μb with `nesterov` (Sutskever et al. 2013, in the form that torch's SGD
 * uses: the learning rate outside the buffer).
 */
export function trace({
  momentum,
  nesterov = false,
}: {
  readonly momentum: number;
  readonly nesterov?: boolean;
}): GradientTransform {
  return {
    init: (parameters) => ({ trace: mapPacks(parameters, zerosLike) }),
    update(updates, state) {
      const old = state.trace as Record<string, Tensor>;
      const momentums = mapPacks(updates, (g, pack) => tidy(() => add(mul(momentum, old[pack]!), g)));
      return {
        updates: nesterov
          ? mapPacks(updates, (g, pack) => tidy(() => add(g, mul(momentum, momentums[pack]!))))
          : momentums,
        state: { trace: { ...old, ...momentums } },
      };
    },
  };
}
