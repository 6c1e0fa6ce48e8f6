import type { Pruner } from '../pruner.js';
import { HyperbandPruner } from './hyperband.js';
import { NopPruner } from './nop.js';
import { MedianPruner, PercentilePruner } from './percentile.js';
import { SuccessiveHalvingPruner } from './successive-halving.js';
import { WilcoxonPruner } from './wilcoxon.js';

/** The pruners by the names that configurations use; `asha` is asynchronous successive halving. */
export const PRUNERS = ['median', 'percentile', 'asha', 'hyperband', 'wilcoxon', 'none'] as const;
export type PrunerName = (typeof PRUNERS)[number];

/** A pruner by its name, with its defaults; `percentile` keeps the best fourth. `steps`: how many a trial takes, where known. */
export function prunerNamed(name: PrunerName, { steps }: { readonly steps?: number } = {}): Pruner {
  switch (name) {
    case 'median':
      return new MedianPruner();
    case 'percentile':
      return new PercentilePruner(25);
    case 'asha':
      return new SuccessiveHalvingPruner(steps === undefined ? {} : { minResource: 1 });
    case 'hyperband':
      return new HyperbandPruner(steps === undefined ? {} : { maxResource: steps });
    case 'wilcoxon':
      return new WilcoxonPruner();
    case 'none':
      return new NopPruner();
  }
}
