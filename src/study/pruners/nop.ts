import type { Pruner } from '../pruner.js';

/** Ends no trial. */
export class NopPruner implements Pruner {
  prune(): boolean {
    return false;
  }
}
