import { named } from '../../base/named.js';
import { accumulate } from './accumulate.js';
import { adam, adamW, type OptimizerOptions } from './adam.js';
import { sgd } from './sgd.js';
import type { Optimizer } from './transform.js';

/** The optimisers by the names that configurations use. */
export const OPTIMIZERS = ['adamw', 'adam', 'sgd'] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

export interface NamedOptimizerOptions extends OptimizerOptions {
  /** μ of sgd; the others ignore it. */
  readonly momentum?: number;
  /** Batches in an optimiser step; see `accumulate`. Default 1. */
  readonly accumulate?: number;
}

/** An optimiser by its name, from the settings of a run. @throws UserError that names the nearest optimiser. */
export function optimizerNamed(
  name: OptimizerName,
  { accumulate: count = 1, momentum = 0, ...options }: NamedOptimizerOptions = {},
): Optimizer {
  const table = { adamw: adamW, adam, sgd: () => sgd({ ...options, momentum }) };
  return accumulate(count, named('optimizer', table, name)(options));
}
