import type { Adapter } from '../model/adapter.js';
import { type PartialTuningOptions, partialTuning, partialTuningEntry } from './partial-tuning.js';

/**
 * LayerNorm tuning (Zhao et al. 2024, "Tuning LayerNorm in Attention"; for ViTs Basu et al. 2024, "Strong Baselines for
 * Parameter-Efficient Few-Shot Fine-tuning"): trains γ and β of y = γ·(x − μ)/σ + β in all LayerNorms, and nothing
 * else of the backbone.
 *
 * @example
 * model.inject(layerNormTuning(), 42);
 */
export function layerNormTuning(options: PartialTuningOptions = {}): Adapter {
  return partialTuning('ln_tuning', options, (name) => /(^|\.)norm\d?\.(weight|bias)$/.test(name));
}

/** LayerNorm tuning in the catalogue. */
export const layerNormTuningEntry = partialTuningEntry('ln_tuning', 'by its LayerNorms', layerNormTuning);
