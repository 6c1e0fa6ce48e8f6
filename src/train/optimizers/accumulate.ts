import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { add, mul, tidy, zerosLike } from '../../base/tfjs-core.js';
import { mapPacks, type Optimizer, type Packs, type State } from './transform.js';

/**
 * One optimiser step for every `count` batches, on the mean of their gradients (the MultiSteps of Optax).
 *
 * Batches of 8 then act as one of 32 where the loss is a mean over pixels, as `crossEntropy` and `focal` are, and all
 * batches have as many of them. Losses of a batch's regions (`logCoshDice`, the default; `tversky`, `lovaszSoftmax`) are
 * still those of 8 pictures: the mean of four Dice scores is not the Dice of all. Batches weigh alike whatever their
 * size. The sum so far is part of the state, so that a run resumes between two optimiser steps; what has not reached
 * `count` when a run ends is not applied.
 *
 * @example
 * accumulate(4, adamW({ weightDecay: 1e-4 })); // an optimiser step for every four batches
 */
export function accumulate(count: number, inner: Optimizer): Optimizer {
  if (!Number.isInteger(count) || count < 1)
    throw new UserError(`accumulate: expected an integer from 1 up, got ${count}`, { count });
  if (count === 1) return inner;
  return {
    init: (parameters, lateGroups) => ({
      gathered: 0,
      sum: mapPacks(parameters, zerosLike),
      inner: inner.init(parameters, lateGroups),
    }),
    update(updates, state, context) {
      const gathered = (state.gathered as number) + 1;
      const sum = mapPacks(state.sum as Packs, (total, pack) => {
        const gradient: Tensor | undefined = updates[pack];
        return gradient ? add(total, gradient) : total;
      });
      if (gathered < count) return { updates: {}, state: { gathered, sum, inner: state.inner as State } };
      const mean = mapPacks(sum, (total) => tidy(() => mul(1 / count, total)));
      const result = inner.update(mean, state.inner as State, context);
      return {
        updates: result.updates,
        state: { gathered: 0, sum: mapPacks(sum, zerosLike), inner: result.state },
      };
    },
  };
}
