import { named } from '../../base/named.js';
import type { Pruner } from '../contracts/pruner.js';
import { HyperbandPruner } from './hyperband.js';
import { NopPruner } from './nop.js';
import { MedianPruner, PercentilePruner } from './percentile.js';
import { SuccessiveHalvingPruner } from './successive-halving.js';
import { WilcoxonPruner } from './wilcoxon.js';

/** The pruners by the names that configurations use; `asha` is asynchronous successive halving. */
export const PRUNERS = ['median', 'percentile', 'asha', 'hyperband', 'wilcoxon', 'none'] as const;
export type PrunerName = (typeof PRUNERS)[number];

/**
 * A pruner by its name, with its defaults; `percentile` keeps the best fourth. `steps`: how many a trial takes, where
 * known.
 *
 * @throws UserError that names the nearest pruner.
 */
export function prunerNamed(name: PrunerName, { steps }: { readonly steps?: number } = {}): Pruner {
  const table: Readonly<Record<PrunerName, () => Pruner>> = {
    median: () => new MedianPruner(),
    percentile: () => new PercentilePruner(25),
    asha: () => new SuccessiveHalvingPruner(steps === undefined ? {} : { minResource: 1 }),
    hyperband: () => new HyperbandPruner(steps === undefined ? {} : { maxResource: steps }),
    wilcoxon: () => new WilcoxonPruner(),
    none: () => new NopPruner(),
  };
  return named('pruner', table, name)();
}
