import type { Sampler } from '../../src/study/contracts/sampler.js';
import { type Distribution, type ParamValue, toExternal } from '../../src/study/trials/distribution.js';

/** Proposes the middle of every range, the first choice, and nothing for a whole space. */
export const middle: Sampler = {
  inferRelativeSearchSpace: () => new Map(),
  sampleRelative: () => ({}),
  sampleIndependent: (_study, _trial, _name, distribution) => middleOf(distribution),
};

function middleOf(distribution: Distribution): ParamValue {
  if (distribution.name === 'CategoricalDistribution') return distribution.choices[0]!;
  const { low, high, step } = distribution;
  const half = (high - low) / 2;
  return toExternal(distribution, low + (step ? Math.floor(half / step) * step : half));
}
