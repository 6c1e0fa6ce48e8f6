import type { Pruner } from '../contracts/pruner.js';

/** Ends no trial. */
export class NopPruner implements Pruner {
  prune(): boolean {
    return false;
  }
}
