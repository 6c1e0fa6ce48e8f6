import type { Sampler } from '../sampler.js';
import { CmaEsSampler } from './cma-es.js';
import { Nsga2Sampler } from './nsga2.js';
import { QmcSampler } from './qmc.js';
import { RandomSampler } from './random.js';
import { TpeSampler } from './tpe.js';

/** The samplers by the names that configurations use. */
export const SAMPLERS = ['tpe', 'random', 'qmc', 'cma-es', 'nsga2'] as const;
export type SamplerName = (typeof SAMPLERS)[number];

/** A sampler by its name; with several workers, `tpe` keeps away from what runs elsewhere. */
export function samplerNamed(
  name: SamplerName,
  { seed, workers = 1 }: { readonly seed?: number; readonly workers?: number } = {},
): Sampler {
  const options = seed === undefined ? {} : { seed };
  switch (name) {
    case 'tpe':
      return new TpeSampler({ ...options, constantLiar: workers > 1 });
    case 'random':
      return new RandomSampler(options);
    case 'qmc':
      return new QmcSampler(options);
    case 'cma-es':
      return new CmaEsSampler(options);
    case 'nsga2':
      return new Nsga2Sampler(options);
  }
}
