import { named } from '../../base/named.js';
import { adam, adamW, type OptimizerOptions } from './adam.js';
import { sgd } from './sgd.js';
import type { Optimizer } from './transform.js';

/** The settings of a run that optimisers use; each uses those that it knows. */
export interface NamedOptimizerOptions extends OptimizerOptions {
  /** μ of sgd. */
  readonly momentum?: number;
}

/**
 * The optimisers by name, made from the settings of a run.
 *
 * @example
 * optimizers.make('sgd', { momentum: 0.9 });
 */
export const optimizers = named('optimizer', {
  adamw: (options: NamedOptimizerOptions): Optimizer => adamW(options),
  adam: (options: NamedOptimizerOptions): Optimizer => adam(options),
  sgd: ({ momentum = 0, ...options }: NamedOptimizerOptions): Optimizer => sgd({ ...options, momentum }),
});
