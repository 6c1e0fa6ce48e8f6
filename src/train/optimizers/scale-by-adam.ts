import type { Tensor } from '@tensorflow/tfjs-core';
import { add, div, mul, sqrt, zerosLike } from '../../base/tfjs-core.js';
import { defineOp } from '../../engine/op.js';
import { type GradientTransform, mapPacks } from './transform.js';

/** Options of `scaleByAdam`. */
export interface AdamOptions {
  /** Decay of the mean of gradients. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of squared gradients. Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
}

interface AdamAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** From 1. */
  readonly step: number;
}

/** (gradient, m, v) to (update, m′, v′), all vectors of one length: the one place where a backend may fuse Adam. */
const adamUpdate = defineOp<{ gradient: Tensor; m: Tensor; v: Tensor }, AdamAttributes>({
  name: 'AdamUpdate',
  plain({ gradient, m, v }, { beta1, beta2, epsilon, step }) {
    const mean = add(mul(beta1, m), mul(1 - beta1, gradient));
    const square = add(mul(beta2, v), mul(mul(1 - beta2, gradient), gradient));
    const scale = 1 / (1 - beta1 ** step);
    const root = 1 / Math.sqrt(1 - beta2 ** step);
    const update = div(mul(scale, mean), add(mul(root, sqrt(square)), epsilon));
    return [update, mean, square];
  },
});

/**
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², update = m̂ / (√v̂ + ε) with m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ)
 * (Kingma & Ba 2015, arXiv:1412.6980, alg. 1).
 *
 * t counts the updates of a pack: `lag` holds by how many a pack that began late is behind.
 */
export function scaleByAdam({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
}: AdamOptions = {}): GradientTransform {
  return {
    init: (parameters, lateGroups = []) => ({
      count: 0,
      ...(lateGroups.length > 0 && { lag: Object.fromEntries(lateGroups.map((pack) => [pack, 0])) }),
      m: mapPacks(parameters, zerosLike),
      v: mapPacks(parameters, zerosLike),
    }),
    update(updates, state) {
      const step = (state.count as number) + 1;
      const before = state.lag as Readonly<Record<string, number>> | undefined;
      const lag =
        before &&
        Object.fromEntries(Object.entries(before).map(([pack, n]) => [pack, updates[pack] ? n : n + 1]));
      const m = { ...(state.m as Record<string, Tensor>) };
      const v = { ...(state.v as Record<string, Tensor>) };
      const scaled = mapPacks(updates, (gradient, pack) => {
        const [update, mean, square] = adamUpdate(
          { gradient, m: m[pack]!, v: v[pack]! },
          { beta1, beta2, epsilon, step: step - (lag?.[pack] ?? 0) },
        );
        m[pack] = mean!;
        v[pack] = square!;
        return update!;
      });
      return { updates: scaled, state: { count: step, ...(lag && { lag }), m, v } };
    },
  };
}
