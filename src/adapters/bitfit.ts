import type { Adapter } from '../model/adapter.js';
import { type PartialTuningOptions, partialTuning, partialTuningEntry } from './partial-tuning.js';

/**
 * BitFit (Ben Zaken et al. 2022, "BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked
 * Language-models"): trains the biases b of all maps y = x·W + b and of all LayerNorms, and nothing else of the backbone.
 *
 * It costs nothing when the model runs, and there is nothing to merge.
 *
 * @example
 * model.inject(bitFit(), 42);
 */
export function bitFit(options: PartialTuningOptions = {}): Adapter {
  return partialTuning('bitfit', options, (name) => name.endsWith('.bias'));
}

/** BitFit in the catalogue. */
export const bitFitEntry = partialTuningEntry('bitfit', 'with BitFit', bitFit);
