import type { Tensor } from '@tensorflow/tfjs-core';
import { add } from '../../base/tfjs-core.js';
import { dropout } from '../../engine/ops/dropout.js';
import { type LinearMap, linears } from '../../engine/ops/linears.js';

/**
 * The rates of stochastic depth by block: linear from 0 in the first to `rate` in the last (Huang et al. 2016,
 * arXiv:1603.09382, § 3, with timm's end points).
 *
 * @example
 * dropPathRates(0.2, 3); // => [0, 0.1, 0.2]
 */
export function dropPathRates(rate: number, depth: number): number[] {
  return Array.from({ length: depth }, (_, layer) => (depth > 1 ? (rate * layer) / (depth - 1) : 0));
}

/** The blocks whose output is another one in each step, though nothing trains in them. */
export function droppedBlocks(rates: readonly number[]): number[] {
  return rates.flatMap((rate, layer) => (rate > 0 ? [layer] : []));
}

/**
 * before + branch: [batch, tokens, width]. While the model trains the branch of each picture is left out with probability
 * `rate`, else scaled by 1/(1 − rate); without `random` it is always there, as it is.
 */
export function residual(
  before: Tensor,
  branch: Tensor | LinearMap,
  rate: number,
  random: (() => number) | undefined,
): Tensor {
  if (rate === 0 || !random) return linears([branch], before)[0]!;
  return add(before, dropout(linears([branch])[0]!, rate, random, [before.shape[0]!, 1, 1]));
}
