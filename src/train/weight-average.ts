import type { Tensor } from '@tensorflow/tfjs-core';
import { add, dispose, mul, sub } from '../base/tfjs-core.js';
import type { Tensors } from '../data/batch.js';
import type { Model } from '../model/model.js';
import type { Parameters } from '../model/parameters.js';
import { unpack } from './optimizers/pack.js';
import type { Packs } from './optimizers/transform.js';

/** The moving average after a step: mean + (1 − decay)·(weights − mean); groups that did not move keep their mean. */
export function updatedAverage(average: Packs, weights: Packs, decay: number): Packs {
  return Object.fromEntries(
    Object.entries(average).map(([group, mean]) => [
      group,
      weights[group] ? add(mean, mul(1 - decay, sub(weights[group], mean))) : mean,
    ]),
  );
}

/** A model that computes with the averaged weights: they replace the trained ones during each forward pass. */
export function averagedModel<In extends Tensors, Out extends Tensors>(
  model: Model<In, Out>,
  average: () => Packs,
): Model<In, Out> {
  const forward: Model<In, Out>['forward'] = (inputs, pass) => {
    const putBack = putAverage(model.parameters, average());
    try {
      return model.forward(inputs, pass);
    } finally {
      putBack();
    }
  };
  return { parameters: model.parameters, forward, dispose: () => model.dispose() };
}

/**
 * Replaces the trained weights by the averaged ones.
 *
 * @returns a function that puts the trained weights back
 */
export function putAverage(modelParameters: Parameters, average: Packs): () => void {
  const parameters = modelParameters.trainable();
  const averages = unpack(parameters, average);
  const weights = parameters.map(({ value }) => value);
  parameters.forEach((parameter, i) => {
    parameter.value = averages[i]!;
  });
  return () => {
    parameters.forEach((parameter, i) => {
      parameter.value = weights[i]!;
    });
    dispose(averages as Tensor[]);
  };
}
