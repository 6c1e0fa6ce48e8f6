import { UserError } from '../../base/errors.js';
import { named } from '../../base/named.js';
import type { Sampler } from '../contracts/sampler.js';
import type { Choice } from '../trials/distribution.js';
import { BruteForceSampler } from './brute-force/brute-force.js';
import { CmaEsSampler } from './cma-es/cma-es.js';
import { GpSampler } from './gp/gp.js';
import { GridSampler } from './grid.js';
import { Nsga2Sampler } from './nsga2/nsga2.js';
import { QmcSampler } from './qmc/qmc.js';
import { RandomSampler } from './random.js';
import { TpeSampler } from './tpe/tpe.js';

/** Options of samplers made by name; each uses those that it needs. */
export interface NamedSamplerOptions {
  /** Random by default, different in each process. */
  readonly seed?: number;
  /** The number of workers; with several, `tpe` avoids the parameters of running trials. Default 1. */
  readonly workers?: number;
  /** The values of each parameter, which `grid` needs. */
  readonly searchSpace?: Readonly<Record<string, readonly Choice[]>>;
}

type Options = NamedSamplerOptions;

/**
 * The samplers by name.
 *
 * @example
 * samplers.make('tpe', { seed: 42 });
 */
export const samplers = named('sampler', {
  tpe: ({ seed, workers = 1 }: Options): Sampler => new TpeSampler({ seed, constantLiar: workers > 1 }),
  gp: ({ seed }: Options): Sampler => new GpSampler({ seed }),
  random: ({ seed }: Options): Sampler => new RandomSampler({ seed }),
  qmc: ({ seed }: Options): Sampler => new QmcSampler({ seed }),
  'cma-es': ({ seed }: Options): Sampler => new CmaEsSampler({ seed }),
  nsga2: ({ seed }: Options): Sampler => new Nsga2Sampler({ seed }),
  grid: ({ seed, searchSpace }: Options): Sampler => {
    if (searchSpace) return new GridSampler(searchSpace, { seed });
    throw new UserError(
      "grid: expected a search space, the values of each parameter, got none; an objective's module exports it as searchSpace",
    );
  },
  'brute-force': ({ seed }: Options): Sampler => new BruteForceSampler({ seed }),
});
