import type { Tensor } from '@tensorflow/tfjs-core';
import { concat, mul, onesLike, reshape, split, tidy } from '../../base/tfjs-core.js';
import type { Parameter } from '../../model/parameters.js';
import type { Packs } from './transform.js';

/** Joins tensors, given in the order of `parameters`, into one vector per parameter group. */
export function pack(parameters: readonly Parameter[], values: readonly Tensor[]): Packs {
  const flat: Record<string, Tensor[]> = {};
  parameters.forEach(({ group }, i) => {
    const value = values[i]!;
    flat[group] ??= [];
    flat[group].push(reshape(value, [value.size]));
  });
  return Object.fromEntries(Object.entries(flat).map(([group, parts]) => [group, tidy(() => concat(parts))]));
}

/**
 * The learning rates of parameters as multiples of their group's, one vector for each group that has other ones than 1.
 * `rates` gives further factors (see `layerDecay`).
 */
export function packRates(
  parameters: readonly Parameter[],
  rates: (parameter: Parameter) => number = () => 1,
): Packs {
  const rated = parameters.map((parameter) => ({
    parameter,
    rate: (parameter.rate ?? 1) * rates(parameter),
  }));
  const groups = new Set(rated.filter(({ rate }) => rate !== 1).map(({ parameter }) => parameter.group));
  const own = rated.filter(({ parameter }) => groups.has(parameter.group));
  return pack(
    own.map(({ parameter }) => parameter),
    own.map(({ parameter, rate }) => mul(rate, onesLike(parameter.value))),
  );
}

/** Cuts vectors into the tensors of `parameters`: new tensors, or undefined where the pack is missing. */
export function unpack(parameters: readonly Parameter[], packs: Packs): (Tensor | undefined)[] {
  return tidy(() => {
    const sizes: Record<string, number[]> = {};
    for (const { group, value } of parameters) (sizes[group] ??= []).push(value.size);
    const parts = Object.fromEntries(
      Object.entries(sizes).map(([group, counts]) => [group, packs[group] && split(packs[group], counts)]),
    );
    return parameters.map(({ group, value }) => {
      const part = parts[group]?.shift();
      return part && reshape(part, value.shape);
    }) as Tensor[];
  });
}
