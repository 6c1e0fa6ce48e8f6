import { UserError } from '../../base/errors.js';
import { named } from '../../base/named.js';
import type { Pruner } from '../contracts/pruner.js';
import { HyperbandPruner } from './hyperband.js';
import { NopPruner } from './nop.js';
import { PatientPruner } from './patient.js';
import { MedianPruner, PercentilePruner } from './percentile.js';
import { SuccessiveHalvingPruner } from './successive-halving.js';
import { ThresholdPruner } from './threshold.js';
import { WilcoxonPruner } from './wilcoxon.js';

/** Options of pruners made by name; each uses those that it needs. */
export interface NamedPrunerOptions {
  /** The number of steps of a trial, if known. */
  readonly steps?: number;
  /** Of `threshold`: a trial with a value below `lower` or above `upper` ends. */
  readonly lower?: number;
  readonly upper?: number;
  /** Of `patient`: steps without an improvement by more than `minDelta`, after which `wrapped` decides. */
  readonly patience?: number;
  readonly minDelta?: number;
  /** The pruner that `patient` wraps, by name; without one, a trial without improvement ends. */
  readonly wrapped?: string;
}

type Options = NamedPrunerOptions;

/**
 * The pruners by name: `percentile` keeps the best fourth, `asha` is asynchronous successive halving.
 *
 * @example
 * pruners.make('hyperband', { steps: 27 });
 */
export const pruners = named('pruner', {
  median: (): Pruner => new MedianPruner(),
  percentile: (): Pruner => new PercentilePruner(25),
  asha: ({ steps }: Options): Pruner =>
    new SuccessiveHalvingPruner(steps === undefined ? {} : { minResource: 1 }),
  hyperband: ({ steps }: Options): Pruner =>
    new HyperbandPruner(steps === undefined ? {} : { maxResource: steps }),
  wilcoxon: (): Pruner => new WilcoxonPruner(),
  threshold: ({ lower, upper }: Options): Pruner => new ThresholdPruner({ lower, upper }),
  patient: ({ wrapped, patience, minDelta, ...options }: Options): Pruner => {
    if (patience === undefined)
      throw new UserError(
        'patient: expected patience, the steps that a trial may go without improving, got none; see --pruner-patience',
      );
    const inner: Pruner | null = wrapped === undefined ? null : pruners.make(wrapped, options);
    return new PatientPruner(inner, patience, { minDelta });
  },
  none: (): Pruner => new NopPruner(),
});
