import { named } from '../../base/named.js';
import type { Sampler } from '../contracts/sampler.js';
import { BruteForceSampler } from './brute-force/brute-force.js';
import { CmaEsSampler } from './cma-es/cma-es.js';
import { GpSampler } from './gp/gp.js';
import { Nsga2Sampler } from './nsga2/nsga2.js';
import { QmcSampler } from './qmc/qmc.js';
import { RandomSampler } from './random.js';
import { TpeSampler } from './tpe/tpe.js';

/** The samplers by the names that configurations use; those that need more than a seed are made in code. */
export const SAMPLERS = ['tpe', 'gp', 'random', 'qmc', 'cma-es', 'nsga2', 'brute-force'] as const;
export type SamplerName = (typeof SAMPLERS)[number];

/**
 * A sampler by its name; with several workers, `tpe` keeps away from what runs elsewhere.
 *
 * @throws UserError that names the nearest sampler.
 */
export function samplerNamed(
  name: SamplerName,
  { seed, workers = 1 }: { readonly seed?: number; readonly workers?: number } = {},
): Sampler {
  const options = seed === undefined ? {} : { seed };
  const table: Readonly<Record<SamplerName, () => Sampler>> = {
    tpe: () => new TpeSampler({ ...options, constantLiar: workers > 1 }),
    gp: () => new GpSampler(options),
    random: () => new RandomSampler(options),
    qmc: () => new QmcSampler(options),
    'cma-es': () => new CmaEsSampler(options),
    nsga2: () => new Nsga2Sampler(options),
    'brute-force': () => new BruteForceSampler(options),
  };
  return named('sampler', table, name)();
}
